//! Simulated clouds that speak the real wire protocols and refuse what the real ones refuse.
