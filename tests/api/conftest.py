"""One service per user for the whole run; tests that break or reconfigure it start their own."""

import pytest
from service import USERS, Service


@pytest.fixture(scope="session", params=USERS)
def service(request):
    instance = Service(user=request.param)
    try:
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture
def client(service):
    connection = service.client()
    yield connection
    connection.close()


@pytest.fixture(params=USERS)
def own_service(request):
    """A factory of services that this test alone uses."""
    made = []

    def make(config=None, start=True):
        instance = Service(user=request.param, config=config)
        made.append(instance)
        return instance.start() if start else instance

    yield make
    for instance in made:
        instance.remove()
