//! The decisions of privatelink-operator: pure functions over plain values.
