//! Alibaba Cloud's door: signs, sends and decodes.
