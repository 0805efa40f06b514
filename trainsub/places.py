"""Where things lie on this machine, and reading the configuration from there."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from trainsub.config import Layer, Settings, built_in_layer, env_layer, parse_toml, resolve
from trainsub.errors import ConfigError

SITE_CONFIG = Path("/etc/xdg/trainsub/config.toml")
PROJECT_CONFIG = "trainsub.toml"


class Places:
    """Folders and files of one user on this machine.

    Args:
        environ: The environment; ``TRAINSUB_CONFIG``, ``TRAINSUB_STATE_DIR`` and ``TRAINSUB_CACHE_DIR`` move things.
        working_directory: Where the search for the project's ``trainsub.toml`` begins.
        config_file: The user's configuration instead of the usual place (``--config``).

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
        try:
            self.home = Path.home()
        except RuntimeError:
            raise ConfigError("this user has no home directory", hint="Set HOME to a folder of yours.") from None
        self.working_directory = working_directory or Path.cwd()
        named = config_file or (Path(text) if (text := self.environ.get("TRAINSUB_CONFIG")) else None)
        self.config_named = named is not None
        self.config_file = named or platformdirs.user_config_path("trainsub") / "config.toml"
        self.state = self._folder("TRAINSUB_STATE_DIR", platformdirs.user_state_path("trainsub"))
        self.cache = self._folder("TRAINSUB_CACHE_DIR", platformdirs.user_cache_path("trainsub"))

    def _folder(self, variable: str, usual: Path) -> Path:
        text = self.environ.get(variable)
        if text and not Path(text).is_absolute():
            whole = Path(text).expanduser() if text.startswith("~") else self.working_directory / text
            raise ConfigError(
                f"{variable}: {text} is not absolute, and would be another folder in each directory",
                hint=f"Write it whole, such as {os.path.normpath(whole.absolute())}",
            )
        return Path(text) if text else usual

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.state / "store.sqlite"

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
        yield "user", self.config_file
        project = self.project_config()
        if project is not None:
            yield "project", project

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
        return replace(resolve(layers, home=str(self.home)), sbatch=self._real_sbatch())

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
