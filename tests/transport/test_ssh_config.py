"""SSH settings: resolved by OpenSSH itself, read by a pure parser."""

import getpass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sshd import Cluster

from trainsub.errors import ConfigError
from trainsub.transport.ssh_config import Here, Target, expand, parse_ssh_g, route

HERE = Here("/home/me", "me", "laptop.example.org", 1000, {"SOCK": "/run/agent", "EMPTY": ""})

REAL = """\
host hpc
user alice
hostname login.example.org
port 2222
identitiesonly yes
pubkeyauthentication true
serveraliveinterval 15
serveralivecountmax 5
hostkeyalgorithms ssh-ed25519,rsa-sha2-512
identityfile ~/.ssh/id with space
identityfile %d/.ssh/id_%r@%h
certificatefile ~/.ssh/cert.pub
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/me/.ssh/known_hosts ~/%k
identityagent none
hostkeyalias cluster
proxyjump a@one:22,two
newkeyword of a future release
"""


def test_a_real_answer() -> None:
    """Everything that a connection needs is read."""
    target = parse_ssh_g(REAL, "hpc")
    assert (target.alias, target.host, target.port, target.user) == ("hpc", "login.example.org", 2222, "alice")
    assert target.identities_only
    assert target.identity_agent == "none"
    assert target.proxy_jump == ("a@one:22", "two")
    assert target.proxy_command is None
    assert (target.keepalive_interval, target.keepalive_count) == (15, 5)
    assert target.host_key_algorithms == ("ssh-ed25519", "rsa-sha2-512")
    assert target.address == "login.example.org:2222"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("/home/me/known hosts /etc/known", ("/home/me/known hosts", "/etc/known")),
        ("~/my  keys/known hosts", ("~/my  keys/known hosts",)),
        ("one two", ("one", "two")),
        ("none", ()),
    ],
)
def test_known_hosts_files_may_have_blanks(printed: str, expected: tuple[str, ...]) -> None:
    """``ssh -G`` prints their names without quotes."""
    assert parse_ssh_g(f"userknownhostsfile {printed}\n", "x").known_hosts_files == expected


def test_expand() -> None:
    """Tokens, variables and the home directory are filled in."""
    target = expand(parse_ssh_g(REAL, "hpc"), HERE)
    assert target.identity_files == ("/home/me/.ssh/id with space", "/home/me/.ssh/id_alice@login.example.org")
    assert target.certificate_files == ("/home/me/.ssh/cert.pub",)
    assert target.known_hosts_files[:2] == ("/home/me/.ssh/known_hosts", "/home/me/cluster")
    assert target.identity_agent == "none"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (None, None),
        ("SSH_AUTH_SOCK", None),
        ("$SOCK", "/run/agent"),
        ("${SOCK}/x", "/run/agent/x"),
        ("$UNSET", "none"),
        ("~/a", "/home/me/a"),
        ("~", "/home/me"),
    ],
)
def test_agents(agent: str | None, expected: str | None) -> None:
    """Every form in which an agent can be named."""
    assert expand(Target("h", "h", identity_agent=agent), HERE).identity_agent == expected


def test_proxy_command_tokens() -> None:
    """The tokens of a command; an unknown one stays as it is."""
    target = Target("alias", "host", 2222, "bob", proxy_command="nc %h %p %r %n %u %l %L %i %% %Z")
    expected = "nc host 2222 bob alias me laptop.example.org laptop 1000 % %Z"
    assert expand(target, HERE).proxy_command == expected
    assert expand(Target("h", "h"), HERE).user == "me"


@given(st.text(), st.text())
def test_any_text_is_read(text: str, alias: str) -> None:
    """Nothing that ssh could print makes the parser fail."""
    target = parse_ssh_g(text, alias)
    assert isinstance(expand(target, HERE), Target)
    assert target.keepalive_interval > 0
    assert target.keepalive_count > 0


WORD = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda word: word != "none"
)


@given(
    host=WORD,
    user=WORD,
    port=st.integers(1, 65535),
    files=st.lists(WORD),
    jumps=st.lists(WORD.filter(lambda w: "," not in w)),
)
def test_round_trip(host: str, user: str, port: int, files: list[str], jumps: list[str]) -> None:
    """What is written as ssh writes it is read as it was meant."""
    lines = [f"hostname {host}", f"user {user}", f"port {port}", *(f"identityfile {file}" for file in files)]
    lines += [f"proxyjump {','.join(jumps)}"] if jumps else []
    target = parse_ssh_g("\n".join(lines), "alias")
    assert (target.host, target.user, target.port) == (host, user, port)
    assert target.identity_files == tuple(files)
    assert target.proxy_jump == tuple(jumps)


def test_include_and_match(tmp_path: Path) -> None:
    """Include, Match and patterns are resolved by OpenSSH itself."""
    (tmp_path / "included").write_text("Host h*\n  User from-include\n  Port 2200\n")
    config = tmp_path / "config"
    config.write_text(
        f"Include {tmp_path}/included\n"
        'Match host hpc exec "true"\n  HostName login.example.org\n'
        "Host *\n  User late\n  ServerAliveInterval 7\n"
    )
    (target,) = route(Cluster(host="hpc", ssh_config=config))
    assert (target.user, target.port, target.host) == ("from-include", 2200, "login.example.org")
    assert target.keepalive_interval == 7
    assert target.ssh_command == f"ssh -F {config} hpc"


def test_the_cluster_overrules(tmp_path: Path) -> None:
    """User, port and identity file of the cluster win, and the identity is the only one."""
    key = tmp_path / "key"
    key.touch()
    config = tmp_path / "config"
    config.write_text("Host hpc\n  User x\n  Port 1\n  IdentityFile /other\n")
    (target,) = route(Cluster(host="hpc", ssh_config=config, user="me", port=2, identity_file=key))
    assert (target.user, target.port, target.identity_files) == ("me", 2, (str(key),))
    assert target.identities_only
    assert target.ssh_command == f"ssh -F {config} -p 2 -l me hpc"


def test_jump_hosts(tmp_path: Path) -> None:
    """Each jump host is resolved by itself; the first one may have jump hosts of its own."""
    config = tmp_path / "config"
    config.write_text(
        "Host hpc\n  ProxyJump first,bob@[::1]:2200\n"
        "Host first\n  ProxyJump ssh://outer:2201\n  HostName 10.0.0.1\n"
        "Host ::1\n  ProxyCommand none\n"
    )
    targets = route(Cluster(host="hpc", ssh_config=config))
    assert [target.address for target in targets] == ["outer:2201", "10.0.0.1:22", "[::1]:2200", "hpc:22"]
    assert targets[2].user == "bob"
    assert "-J first" in targets[2].ssh_command


def test_same_machine_twice_is_no_circle(tmp_path: Path) -> None:
    """Two names of one machine are two hops."""
    config = tmp_path / "config"
    config.write_text("Host hpc inner\n  HostName 127.0.0.1\nHost hpc\n  ProxyJump inner\n")
    assert len(route(Cluster(host="hpc", ssh_config=config))) == 2


def test_general_jump_rule_is_a_circle(tmp_path: Path) -> None:
    """Jump hosts that lead back lead nowhere, and the message says what to add."""
    config = tmp_path / "config"
    config.write_text("Host *\n  ProxyJump bastion\n")
    with pytest.raises(ConfigError, match="jumphost loop via bastion"):
        route(Cluster(host="hpc", ssh_config=config))
    config.write_text("Host bastion\n  ProxyJump outer\nHost outer hpc\n  ProxyJump bastion\n")
    with pytest.raises(ConfigError, match="hpc → bastion → outer → bastion") as caught:
        route(Cluster(host="hpc", ssh_config=config))
    assert caught.value.hint is not None
    assert "ProxyJump none" in caught.value.hint


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/owned", "", " ", "a\0b"])
def test_impossible_hosts(host: str) -> None:
    """A host can never become an option of ssh."""
    with pytest.raises(ConfigError):
        route(Cluster(host=host))


def test_broken_configuration(tmp_path: Path) -> None:
    """What ssh says of its configuration is passed on."""
    config = tmp_path / "config"
    config.write_text("NoSuchKeyword yes\n")
    with pytest.raises(ConfigError, match=r"(?i)nosuchkeyword"):
        route(Cluster(host="hpc", ssh_config=config))
    config.write_text("Host hpc\n  ProxyJump a:b:c\n")
    with pytest.raises(ConfigError):
        route(Cluster(host="hpc", ssh_config=config))


def test_no_host() -> None:
    """A cluster without a host is a mistake of the configuration."""
    with pytest.raises(ConfigError, match="no host"):
        route(Cluster())


def test_here() -> None:
    """The facts of this side are those of this process."""
    assert Here.now().user == getpass.getuser()
