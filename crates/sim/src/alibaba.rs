//! Alibaba Cloud's dialect: RPC calls over HTTP, signed, flattened, answered in JSON.

pub mod decode;
pub mod description;
pub mod gateway;
pub mod name;
pub mod params;
pub mod refuse;
pub mod signature;
pub mod text;
pub mod word;
