import pytest

sessions = []


@pytest.fixture(scope="session", autouse=True)
def session():
    sessions.append(1)
    yield len(sessions)
    print("the session's end")
