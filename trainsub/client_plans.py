"""The part of the library's face that comes before a submission: specs, templates, scripts, plans. Asks no network."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trainsub.config import Cluster
from trainsub.errors import SpecError, UsageError
from trainsub.places import Places
from trainsub.session import Session
from trainsub.spec import JobSpec, OwnScript, adopt, own_script, parse_spec
from trainsub.spec.parts import split

if TYPE_CHECKING:
    from trainsub.plan import Plan
    from trainsub.render import Problem, Template, Templates


class PlanCalls:
    """What a ``Client`` does before anything is submitted."""

    places: Places
    _session: Session

    def load_spec(self, path: str | Path, *, sets: Sequence[str] = ()) -> JobSpec:
        """Read a spec, and the script that it names in place of a template.

        Args:
            path: A TOML file.
            sets: ``key=value`` overrides, as with ``--set``.

        Raises:
            SpecError: There is no such file, or it is wrong.
        """
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise SpecError(
                f"{path or repr(path)}: cannot be read: {error.strerror}", hint="Give the path of a spec."
            ) from error
        named = own_script(text, origin=str(path), sets=sets)
        own = self._own(named, Path(path).parent)
        return parse_spec(text, origin=str(path), sets=sets, own=own)

    def render(
        self,
        spec: JobSpec | str | Path,
        *,
        cluster: str | None = None,
        sets: Sequence[str] = (),
        base: Path | None = None,
    ) -> str:
        """The exact batch script that a submission would send; of a sweep in parts, that of the first.

        Args:
            spec: A spec or the path of one.
            cluster: A configured cluster; the default one if None.
            sets: ``key=value`` overrides, for a path.
            base: The folder that relative paths in the spec are relative to; a path's own folder by default.

        Raises:
            SpecError: The spec is wrong, or does not fit the cluster.
            TemplateError: The template is wrong.
        """
        from trainsub.render import render  # noqa: PLC0415 -- Jinja is not needed by most verbs

        loaded, own, templates = self._given(spec, sets, base)
        name, chosen = self._session.select(cluster)
        parts = split(loaded, chosen.max_array_size)
        self._tell_parts(name, chosen, len(parts))
        return render(parts[0], chosen, templates, own)

    def plan(
        self,
        spec: JobSpec | str | Path,
        *,
        cluster: str | None = None,
        key: str | None = None,
        sets: Sequence[str] = (),
        base: Path | None = None,
    ) -> "Plan":
        """What would be submitted: script, snapshot of the code, ceiling.

        Args:
            spec: A spec or the path of one.
            cluster: A configured cluster; the default one if None.
            key: What makes two submissions the same; drawn anew if None.
            sets: ``key=value`` overrides, for a path.
            base: The folder that relative paths in the spec are relative to; a path's own folder by default.

        Raises:
            SpecError, TemplateError, SnapshotError: The plan cannot be made, or one is not enough.
            UnknownClusterError: There is no such cluster.
            UsageError: The key is empty.
        """
        first, *others = self.plans(spec, cluster=cluster, key=key, sets=sets, base=base)
        if others:
            raise SpecError(
                f"sweep: one job array on {first.cluster} has not as many points as this sweep",
                hint="`plans` and `submit_all` take it in parts; or raise max_array_size, if the cluster's is larger.",
            )
        return first

    def plans(
        self,
        spec: JobSpec | str | Path,
        *,
        cluster: str | None = None,
        key: str | None = None,
        sets: Sequence[str] = (),
        base: Path | None = None,
    ) -> "tuple[Plan, ...]":
        """What would be submitted: one plan, or one for each part of a sweep that a single job array cannot hold.

        Args:
            spec: As for ``plan``, as all else.
            cluster: A configured cluster.
            key: What makes two submissions the same.
            sets: ``key=value`` overrides.
            base: The folder that relative paths in the spec are relative to.

        Raises:
            SpecError, TemplateError, SnapshotError: The plans cannot be made.
            UnknownClusterError: There is no such cluster.
            UsageError: The key is empty.
        """
        if key is not None and not key.strip():
            raise UsageError("the key is empty", hint="Give a key that is this run's own, or none.")
        from trainsub.plan import Sources, make_plans  # noqa: PLC0415 -- rendering and packing are not needed by most verbs

        folder = base or (Path.cwd() if isinstance(spec, JobSpec) else Path(spec).absolute().parent)
        loaded, own, templates = self._given(spec, sets, base)
        name, chosen = self._session.select(cluster)
        given = Sources(base=folder, archives=self._session.archives, templates=templates, own=own)
        made = make_plans(loaded, name, chosen, given, key=key)
        self._tell_parts(name, chosen, len(made))
        return made

    def _tell_parts(self, name: str, cluster: Cluster, parts: int) -> None:
        if parts > 1:
            most = f"an array on {name} has {cluster.max_array_size} points at most (max_array_size)"
            self._session.tell(f"sweep: {parts} parts, each a run of its own: {most}")

    def templates(self) -> "Templates":
        """All templates: the built-in ones, the site's, the user's and the project's.

        Raises:
            TemplateError: One cannot be read.
        """
        from trainsub.template_files import read_templates  # noqa: PLC0415 -- Jinja is not needed by most verbs

        return read_templates(self.places)

    def check_templates(self, which: Sequence[str] = ()) -> "list[Problem]":
        """What is wrong with templates, or with batch scripts that stand in place of one.

        Args:
            which: Names, which mean all templates of that name, and paths; none means all templates.

        Raises:
            TemplateError: There is no such template.
        """
        from trainsub.verbs.template import check_templates  # noqa: PLC0415 -- point of use

        return check_templates(self.places, which)

    def new_template(
        self, name: str, *, extends: str | None = None, layer: Literal["project", "user"] | None = None
    ) -> "Template":
        """Write a template that extends another, with comments on what to do next; it replaces no file.

        Args:
            name: Its name.
            extends: The name of the template that it extends; by default that of the same name, else torchrun.
            layer: ``project`` or ``user``; the project's if None and there is one.

        Raises:
            TemplateError: There is such a file, or none can be written.
        """
        from trainsub.verbs.template import new_template  # noqa: PLC0415 -- point of use

        return new_template(self.places, name, extends=extends, layer=layer)

    def _own(self, named: str | None, folder: Path) -> OwnScript | None:
        if named is None:
            return None
        from trainsub.template_files import read_script  # noqa: PLC0415 -- point of use

        return read_script(named, folder)

    def _given(
        self, spec: JobSpec | str | Path, sets: Sequence[str], base: Path | None
    ) -> "tuple[JobSpec, OwnScript | None, Templates]":
        """The spec, the script that it names, and all templates; tells of what is not trainsub's own."""
        from trainsub.render import BUILT_IN, template_of  # noqa: PLC0415 -- Jinja is not needed by most verbs
        from trainsub.template_files import templates_for  # noqa: PLC0415 -- the same

        loaded = spec if isinstance(spec, JobSpec) else self.load_spec(spec, sets=sets)
        folder = base or (Path() if isinstance(spec, JobSpec) else Path(spec).parent)
        templates = templates_for(self.places, loaded, folder)
        own = self._own(loaded.template if loaded.own_script else None, folder)
        used = template_of(loaded, templates)
        if used.layer != BUILT_IN:
            self._session.tell(f"template: {used.name} of the {used.layer} ({used.path})")
        if own is None:
            return loaded, None, templates
        replaced = ", ".join(f"--{option} (line {line})" for line, option in own.replaced)
        rest = f"; of its own lines, these count for nothing here: {replaced}" if replaced else ""
        self._session.tell(f"script: {own.path}, as it is{rest}")
        return adopt(loaded, own), own, templates
