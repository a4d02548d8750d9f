"""What the live page shows of a test: kept in bounded memory, handed out in frames.

Pure: times are passed in, in microseconds on one clock of this process, and
nothing here knows of gevent, Flask or Locust. The kernel's samples, the load's
intervals and marks go in; a frame has what one viewer has not yet seen, as text
that was made once for all viewers.
"""

from ipvsload.locust_plugin.live.class_traffic import TrafficInterval
from ipvsload.locust_plugin.live.live_feed import LiveFeed

__all__ = ["LiveFeed", "TrafficInterval"]
