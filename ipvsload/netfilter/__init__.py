"""Balancing without IPVS: rules of iptables and nftables as kube-proxy writes them.

It runs in the director: standard library and this package's own netlink only.
"""
