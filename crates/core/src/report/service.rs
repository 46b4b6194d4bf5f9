//! The status of an endpoint service.
