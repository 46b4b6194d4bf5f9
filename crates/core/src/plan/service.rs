//! The provider's planner: what is to be done so that a service is as declared.
