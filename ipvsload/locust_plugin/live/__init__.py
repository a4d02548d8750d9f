"""What the live page shows of a test: kept in bounded memory, handed out in frames.

Pure: times are passed in, in microseconds on one clock of this process, and
nothing here imports gevent, Flask or Locust. The kernel's samples, the load's
intervals and marks go in. A frame has what one viewer has not seen yet; its text
is made once for all viewers.
"""

from ipvsload.locust_plugin.live.class_traffic import TrafficInterval
from ipvsload.locust_plugin.live.live_feed import LiveFeed

__all__ = ["LiveFeed", "TrafficInterval"]
