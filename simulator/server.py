"""The simulator as one server, in a thread of the program that starts it."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Flask, Response

from simulator import api, configuration, page, receiver
from simulator.caller import Caller
from simulator.connections import Server
from simulator.faults import Faults
from simulator.receiver import Receiver
from simulator.statuses import Statuses
from simulator.webhooks import Webhooks
from simulator.world import Account, Number, World, utc_now

REPORT_DELAY_SECONDS = 0.2
STOP_POLL_SECONDS = 0.01


class Simulator:
    def __init__(
        self,
        account: Account,
        number: Number,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        service_url: str = "",
        function_key: str = "",
        system_key: str = "",
        report_delay_seconds: float = REPORT_DELAY_SECONDS,
        webhook_secrets: Sequence[str] = (),
        ca_file: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Port 0 means any free port. With a service and its function key, the page can start
        verifications. With the system key, it also shows verifications that other programs have
        started. With webhook secrets, it receives outcome webhooks. With a file of certificates,
        it trusts these authorities when it posts webhooks over https.

        Raises OSError (or SystemExit) where the port is taken.
        """
        self._caller = Caller(service_url, function_key) if function_key else None
        self._statuses = Statuses(service_url, system_key, clock=clock) if service_url else None
        self.world = World(account, number, clock=clock)
        self.faults = Faults()
        self.receiver = Receiver(webhook_secrets)
        self.webhooks = Webhooks(
            self.world, self.faults, report_delay_seconds=report_delay_seconds, ca_file=ca_file
        )
        self._server = Server(host, port, self._application(f"{service_url}/console/"))
        self.url = f"http://{host}:{self._server.server_port}"
        self.receiver_url = self.url + receiver.PATH
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_POLL_SECONDS,), name="simulator"
        )

    def _application(self, console_url: str) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.register_blueprint(api.blueprint(self.world, self.faults, self.webhooks))
        app.register_blueprint(configuration.blueprint(self.world))
        app.register_blueprint(
            page.blueprint(
                self.world,
                self.faults,
                self.webhooks,
                caller=self._caller,
                statuses=self._statuses,
                console_url=console_url,
            )
        )
        app.register_blueprint(receiver.blueprint(self.receiver))
        app.after_request(self._date)
        return app

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.receiver.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.close_kept()
        self.webhooks.stop()
        if self._caller is not None:
            self._caller.close()
        if self._statuses is not None:
            self._statuses.close()

    def _date(self, response: Response) -> Response:
        """The time by Twilio's clock."""
        response.date = self.world.now()
        return response
