"""HTTP requests by closed and open workloads, each timed and recorded, on one epoll loop."""
