"""What balances without IPVS."""
