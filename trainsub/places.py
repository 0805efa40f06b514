"""Where things lie on this machine, and reading the configuration from there."""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trainsub.config import Layer, Settings, built_in_layer, env_layer, parse_toml, resolve
from trainsub.errors import ConfigError
from trainsub.transport import whoami

if TYPE_CHECKING:
    from trainsub.render import LayerName

SITE_CONFIG = Path("/etc/xdg/trainsub/config.toml")
PROJECT_CONFIG = "trainsub.toml"
TEMPLATES = "templates"
STORE = "store.sqlite"


class Places:
    """Folders and files of one user on this machine.

    Args:
        environ: The environment; ``TRAINSUB_CONFIG``, ``TRAINSUB_STATE_DIR`` and ``TRAINSUB_CACHE_DIR`` move things.
        working_directory: Where the search for the project's ``trainsub.toml`` begins.
        config_file: The user's configuration instead of the usual place (``--config``).

    Attributes:
        passing: Whether the state lies where it will not last: there is no home directory that can be written to.

    Raises:
        ConfigError: A folder is not absolute.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        working_directory: Path | None = None,
        config_file: Path | None = None,
    ) -> None:
        import platformdirs  # noqa: PLC0415 -- `--help` must not wait for it

        self.environ = os.environ if environ is None else environ
        self.home = whoami.home()
        self.working_directory = working_directory or Path.cwd()
        named = config_file or (Path(text) if (text := self.environ.get("TRAINSUB_CONFIG")) else None)
        self.config_named = named is not None
        config = _usual(platformdirs.user_config_path)
        self.config_file = named or (config / "config.toml" if config else None)
        self.state, self.passing = self._folder("TRAINSUB_STATE_DIR", "state", _usual(platformdirs.user_state_path))
        self.cache, _ = self._folder("TRAINSUB_CACHE_DIR", "cache", _usual(platformdirs.user_cache_path))

    def _folder(self, variable: str, name: str, usual: Path | None) -> tuple[Path, bool]:
        """The folder that is named, or the usual one, or one that will not last; and whether it is that."""
        named = self._named(variable)
        # A store that is there is used, even where it can only be read.
        if named is not None or (usual is not None and ((usual / STORE).exists() or _can_be_written(usual))):
            return named or usual or whoami.NOWHERE, False
        passing = _passing(name)
        return passing or usual or whoami.NOWHERE / "trainsub", passing is not None

    def _named(self, variable: str) -> Path | None:
        text = self.environ.get(variable)
        if text and not Path(text).is_absolute():
            whole = Path(text).expanduser() if text.startswith("~") else self.working_directory / text
            raise ConfigError(
                f"{variable}: {text} is not absolute, and would be another folder in each directory",
                hint=f"Write it whole, such as {os.path.normpath(whole.absolute())}",
            )
        return Path(text) if text else None

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.state / STORE

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.state / "audit.jsonl"

    @property
    def sandbox(self) -> Path:
        """The sandbox's keys and its cluster's configuration."""
        return self.state / "sandbox"

    @property
    def sandbox_name(self) -> str:
        """Begins the names of the sandbox's containers; users who share a Docker engine do not meet."""
        return f"trainsub-{hashlib.sha256(str(self.sandbox).encode()).hexdigest()[:6]}"

    @property
    def minislurm(self) -> Path:
        """The embedded cluster's directory: its commands, its queue, its runs."""
        # One name for one directory, and none that goes up: it stands in the configuration, and on a PATH.
        return Path(os.path.realpath(self.state / "minislurm"))

    @property
    def archives(self) -> Path:
        """Packed snapshots."""
        return self.cache / "archives"

    def project_config(self) -> Path | None:
        """The nearest ``trainsub.toml`` in the working directory or above it."""
        for folder in (self.working_directory, *self.working_directory.parents):
            found = folder / PROJECT_CONFIG
            if found.is_file():
                return found
        return None

    def files(self) -> Iterator[tuple[str, Path]]:
        """Configuration files by layer, lowest first, whether they exist or not."""
        yield "site", SITE_CONFIG
        yield "sandbox", self.sandbox / "config.toml"
        if self.config_file is not None:
            yield "user", self.config_file
        project = self.project_config()
        if project is not None:
            yield "project", project

    def template_folders(self) -> Iterator[tuple["LayerName", Path]]:
        """Folders of templates by layer, lowest first, whether they exist or not; each beside its configuration."""
        layers: tuple[LayerName, ...] = ("site", "user", "project")
        files, seen = dict(self.files()), set()
        for layer in layers:
            # Not Path.resolve: a link to itself is a RuntimeError there, and whoever reads the folder says it better.
            folder = Path(os.path.realpath(files[layer].parent / TEMPLATES)) if layer in files else None
            if folder is not None and folder not in seen:
                seen.add(folder)
                yield layer, folder

    def settings(self, flags: Mapping[str, object] | None = None) -> Settings:
        """The configuration, each value with its origin.

        Args:
            flags: Settings from the command line, nested as in the file.

        Raises:
            ConfigError: A file or a variable is wrong, or a file that was named does not exist.
        """
        layers = [built_in_layer(str(self.minislurm))]
        for name, path in self.files():
            text = self._read(name, path)
            if text is not None:
                layers.append(
                    Layer(name=name, origin=str(path), data=parse_toml(text, str(path)), base=str(path.parent))
                )
        layers.append(env_layer(self.environ))
        if flags:
            layers.append(
                Layer(name="flags", origin="command line", data=dict(flags), base=str(self.working_directory))
            )
        return replace(resolve(layers, home=str(self.home or "")), sbatch=self._real_sbatch())

    def _real_sbatch(self) -> str | None:
        """The sbatch on the PATH, if it is not an embedded cluster's, whose jobs find one there."""
        for folder in self.environ.get("PATH", os.defpath).split(os.pathsep):
            found = shutil.which("sbatch", path=folder) if folder else None
            if found is not None and not (Path(folder).parent / "minislurm.toml").exists():
                return found
        return None

    def _read(self, name: str, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if name == "user" and self.config_named:
                raise ConfigError(
                    f"{path}: there is no such file", hint="Check --config and TRAINSUB_CONFIG."
                ) from None
            return None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _usual(find: Callable[[str], Path]) -> Path | None:
    """The platform's folder for trainsub; None for a user without a home."""
    with contextlib.suppress(RuntimeError):
        folder = find("trainsub")
        return folder if folder.is_absolute() else None
    return None


def _can_be_written(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that is there, lets this user write."""
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _passing(name: str) -> Path | None:
    """A private folder among the temporary files; None where there can be none.

    Raises:
        ConfigError: There is one of that name, and it is not this user's alone.
    """
    try:
        above = Path(tempfile.gettempdir())
        if above == Path.cwd():  # Python's last resort; what is there would travel with the code
            return None
        folder = above / f"trainsub-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(
            f"there is no home directory that can be written to, and {folder} is not a folder of this user alone",
            hint="Point TRAINSUB_STATE_DIR and TRAINSUB_CACHE_DIR at folders of yours.",
        )
    return folder / name
