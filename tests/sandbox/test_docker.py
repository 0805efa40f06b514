"""Docker's words for what is wrong, told by a stand-in program: no engine can be asked to be absent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trainsub import sandbox
from trainsub.errors import SandboxError
from trainsub.sandbox import docker


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a `docker` on the PATH that says one thing and fails."""

    def place(text: str) -> None:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return place


def test_without_docker_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No docker command: the hint says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="no `docker` on the PATH") as caught:
        sandbox.status()
    assert "prepare" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "not running",
            "prepare",
        ),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "does not let this user in",
            "group `docker`",
        ),
        (
            'Error response from daemon: Conflict. The container name "/sandbox-n1" is already in use by container "f0".',
            "same name",
            "sandbox down",
        ),
        ("Error response from daemon: no space left on device", "no space left on device", ""),
    ],
)
def test_docker_errors_are_explained(say: Callable[[str], None], text: str, message: str, hint: str) -> None:
    """Docker's own words become a message and a way on."""
    say(text)
    with pytest.raises(SandboxError, match=message) as caught:
        docker.docker("ps")
    assert hint in (caught.value.hint or "")


def test_a_docker_that_hangs_is_given_up(say: Callable[[str], None], tmp_path: Path) -> None:
    """A client that never answers ends in an error, not in silence."""
    say("")
    (tmp_path / "docker").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(SandboxError, match="did not end within"):
        docker.docker("ps", timeout=0.2)


def test_an_unreachable_registry_is_told_from_a_broken_build(say: Callable[[str], None], tmp_path: Path) -> None:
    """A base image that cannot be had is not called a broken Dockerfile."""
    say("")
    (tmp_path / "docker").write_text(
        '#!/bin/sh\n[ "$1" = build ] || exit 0\necho "dial tcp: no such host" >&2\nexit 1\n'
    )
    with pytest.raises(SandboxError, match="cannot pull the image debian:trixie"):
        docker.ensure_image("24.11")


def test_the_image_sources_are_found_in_a_checkout() -> None:
    """The Dockerfile is where the sandbox looks for it."""
    assert (docker.containers_dir() / "Dockerfile").is_file()


@pytest.mark.parametrize(
    ("listing", "removal", "says"),
    [
        ("network ls", "network rm", "error while removing network: network net has active endpoints"),
        ("ps --all", "rm --force", "removal of container 0a1b is already in progress"),
    ],
)
def test_what_is_gone_in_a_moment_is_waited_for(
    say: Callable[[str], None], tmp_path: Path, listing: str, removal: str, says: str
) -> None:
    """A network is busy for a moment after its last container; a container may be being removed by somebody else.

    Other refusals are errors at once.
    """
    say("")
    (tmp_path / "docker").write_text(
        f"""#!/bin/sh
cd {tmp_path}
case "$1 $2" in
"{listing}") [ -e gone ] || echo net ;;
"{removal}")
    echo x >>tries
    [ "$(wc -l <tries)" -lt 3 ] || {{ touch gone; exit 0; }}
    [ ! -e broken ] || {{ echo "Error response from daemon: permission denied" >&2; exit 1; }}
    echo "Error response from daemon: {says}" >&2
    exit 1
    ;;
esac
"""
    )
    assert docker.remove("x=y")
    assert (tmp_path / "tries").read_text().count("x") == 3
    assert not docker.remove("x=y")
    (tmp_path / "gone").unlink()
    (tmp_path / "tries").unlink()
    (tmp_path / "broken").touch()
    with pytest.raises(SandboxError, match="permission denied"):
        docker.remove("x=y")
