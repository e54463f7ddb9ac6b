//! Writes over HTTP. What an interactive transaction does statement by statement is sent as one: see [`wrap`].
//!
//! A batch is one transaction, and none of its statements can be chosen by the answer to another. So the key of the row
//! written goes from one to the next in a setting that ends with the transaction; a statement that wrote no row fails,
//! which undoes all; and what was read beforehand is compared again behind the row's lock.
//!
//! A batch is sent once. When its answer is lost, whether it was carried out is not known, and that is what is told.

mod many;
mod one;
mod refusal;
mod wrap;
