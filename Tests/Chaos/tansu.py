# SPDX-License-Identifier: Apache-2.0
"""The same servers over Tansu, a broker that shares no code with librdkafka, and with a newer librdkafka."""

import subprocess

from brokers import install
from deployments import Deployment, service


class Tansu(Deployment):
    """Tansu and PostgreSQL. Tansu has its topics in memory, so nothing dies here but Tally: its servers are killed, and paused
    for up to twice the session timeout of the consumer group, which is 6 s."""

    name = "Tansu and PostgreSQL"

    def __init__(self, directory):
        super().__init__(directory)
        servers = [*self.ingest, *self.aggregate, self.query]
        self.faults = [fault for fault in self.faults if fault.target in servers]

    def make_log(self):
        broker = service("tansu", self.directory / "tansu")
        self.add("tansu", broker)
        # A fault of Tansu 0.6 is kept out: it tells the end of a partition as the first offset of its last batch, plus one, so a
        # batch has one message. Another is not: it fences a producer that begins a new epoch, as librdkafka does when a message
        # has timed out. The servers replace such a producer.
        self.log_url = f"kafka://{broker.url}/chaos?partitions={self.partitions}&batch.num.messages=1"

    def make_store(self):
        self.add_store("postgresql")

    def tally(self, name, *options):
        script = install("librdkafka")
        libraries = subprocess.run([script, "directory"], check=True, capture_output=True, text=True).stdout.strip()
        server = super().tally(name, *options)
        server.command = ["env", f"LD_LIBRARY_PATH={libraries}", *server.command]
        return server
