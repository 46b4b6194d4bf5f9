//! privatelink-operator: sockets, kube and process; it decides nothing about clouds.
