from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.settings import from_environment


def test_defaults_listen_on_loopback_and_keep_private_files_in_the_data_folder() -> None:
    settings = from_environment({})

    assert settings.host == "127.0.0.1"
    assert settings.key_file == Path(".irnflow/irnflow.key")


def test_variables_fill_the_fields_of_their_names() -> None:
    settings = from_environment({"IRNFLOW_DATABASE_URL": "postgresql://x", "IRNFLOW_LOOKUP_GAP_S": "0.5", "HOME": "/"})

    assert (settings.database_url, settings.lookup_gap_s) == ("postgresql://x", 0.5)


def test_a_port_is_given_to_its_service_and_the_others_take_a_free_one() -> None:
    settings = from_environment({"IRNFLOW_PORT_WEBSOCKET": "8471"})

    assert (settings.port_of("websocket"), settings.port_of("validation")) == (8471, 0)


def test_relative_private_files_lie_below_the_data_folder_and_absolute_ones_where_they_say() -> None:
    settings = from_environment({"IRNFLOW_DATA": "/data", "IRNFLOW_BOOKS": "b.toml", "IRNFLOW_KEY_FILE": "/etc/key"})

    assert (settings.books, settings.key_file) == (Path("/data/b.toml"), Path("/etc/key"))


@pytest.mark.parametrize("variable", ["IRNFLOW_PORTAL_DEADLINE_S", "IRNFLOW_PORT_WEBSOCKET"])
def test_a_value_of_the_wrong_kind_is_refused_naming_where(variable: str) -> None:
    with pytest.raises(BadInput, match=r"IRNFLOW_.*\$\.(portal_deadline_s|ports)"):
        from_environment({variable: "soon"})
