"""One session's hold on a cluster: nobody else may change it, and all of it is undone.

Whatever is changed is in the cluster's own journal before it is changed; see
journal.py and restore.py.
"""

from ipvsload.errors import TestbedError
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.kubernetes.api import ApiError
from ipvsload.testbed.kubernetes.examined_cluster import ExaminedCluster
from ipvsload.testbed.kubernetes.foreign_services import Kept, listed
from ipvsload.testbed.kubernetes.journal import (
    ActiveError,
    new_journal,
    take_cluster,
    with_kept,
    write_journal,
)
from ipvsload.testbed.kubernetes.leftover_services import LeftoverServices
from ipvsload.testbed.kubernetes.manifests import namespace
from ipvsload.testbed.kubernetes.namespace_end import wait_for_end
from ipvsload.testbed.kubernetes.object_names import NAMESPACE
from ipvsload.testbed.kubernetes.restore import restore

_LAST_RUN_GONE_WITHIN = 300.0


class ClusterHold:
    """Holds nothing until `take`, and again nothing after `release`."""

    def __init__(self, cluster: ExaminedCluster) -> None:
        self.cluster = cluster
        options = cluster.options
        self._journal = new_journal(options.sidecar_image, writes=not options.rootless)
        self._touched = False

    def take(self) -> None:
        """Take the cluster. Raises ActiveError where somebody else has it."""
        api = self.cluster.api
        found = api.find("namespaces", NAMESPACE)
        if found and found["metadata"].get("deletionTimestamp"):
            what = f"namespace {NAMESPACE} of the last run to be gone"
            left = wait_for_end(api, what, _LAST_RUN_GONE_WITHIN, self.cluster.tell)
            if left:
                raise TestbedError("\n".join(left))
            found = None
        # Set before the first change: a Ctrl-C may come right behind that.
        self._touched = True
        if found is None:
            try:
                api.create("namespaces", namespace())
            except ApiError as error:
                if error.status != 409:  # made at this moment: the next step says by whom
                    raise
        try:
            take_cluster(api, self._journal)
        except ActiveError:
            self._touched = False  # it is somebody else's
            raise

    def switch(self, balancer: Balancer) -> None:
        """Have the service proxy use this balancer, if it is wanted and can be had of it.

        Raises TestbedError.
        """
        if balancer.name and not self.cluster.fixed:
            api, tell = self.cluster.api, self.cluster.tell
            self._journal = self.cluster.proxy.use(api, self._journal, balancer, tell)

    def keep(self, found: Kept) -> None:
        """Write down virtual servers that the next switch may delete. Raises TestbedError."""
        journal = with_kept(self._journal, found)
        if journal.kept != self._journal.kept:
            self.cluster.tell(f"kept in the journal, to be put back at the end: {listed(found)}")
            write_journal(self.cluster.api, journal)
            self._journal = journal

    def release(self, leftovers: LeftoverServices | None) -> None:
        """Put the cluster back; does nothing where nothing was touched.

        `leftovers` sees the nodes' tables, if there are sidecars. Raises
        TestbedError with what a person must do.
        """
        if not self._touched:
            return
        api, tell = self.cluster.api, self.cluster.tell
        context = self.cluster.options.context
        mend = "ipvsload restore" + (f" --context {context}" if context else "")
        try:
            left = restore(api, tell, own=self._journal.id, leftovers=leftovers)
        except TestbedError as error:
            raise TestbedError(
                f"the cluster could not be put back: {error}. Try again with: {mend}"
            ) from None
        except KeyboardInterrupt:
            tell(f"the cluster is left changed; put it back with: {mend}")
            raise
        self._touched = False
        if left:
            raise TestbedError("\n".join(left))
