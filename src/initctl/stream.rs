//! Finds the requests in the bytes a FIFO delivers, whatever stands between them.
//!
//! Anybody may write anything into the FIFO, and a writer may die half-way. Neither may cost the request that
//! comes after. So the stream is not cut into blocks of 384 bytes; the magic number says where a request
//! begins.
//!
//! * A *header* is the magic number followed by a command that has a name. Bytes that begin no header are
//!   discarded.
//! * A header whose 384 bytes are there is a request - unless a second header stands inside them. Payloads hold
//!   text and zeros and practically never a header, so the first one was most likely cut short: as soon as the
//!   second one's 384 bytes are there too, the first one's remains are discarded.
//! * Should a third header stand right behind the first one's 384 bytes, then the first one is whole after all
//!   and holds the second by accident.
//! * Whoever waits for the rest of a request may wait for ever. So when nothing has come for a moment, the owner
//!   of the FIFO calls [`RequestStream::abandon_partial`]: what is whole is then taken, the rest discarded.
#![forbid(unsafe_code)]

use super::{COMMAND_RANGE, LAST_COMMAND, MAGIC, REQUEST_SIZE, Request, integer};

/// Magic number and command.
const HEADER_SIZE: usize = 8;
/// A request cut short, the whole one behind it, and one read more.
const CAPACITY: usize = 3 * REQUEST_SIZE;

/// What the stream holds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A whole request.
    Request(Request),
    /// Bytes that belong to no request.
    Discarded {
        /// How many.
        bytes: usize,
    },
}

/// Takes bytes in pieces of any size and gives requests.
#[derive(Debug, Clone, Default)]
pub struct RequestStream {
    kept: Vec<u8>,
    discarded: usize,
    quiet: bool,
}

/// Whether a header begins at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Absent,
    /// What is there so far could be the beginning of one.
    Possible,
    Present,
}

/// What the first bytes kept turn out to be.
enum Front {
    Request,
    Junk(usize),
    Undecided,
}

impl RequestStream {
    /// Makes an empty stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes and returns those there was no room for. 384 bytes always find room once
    /// [`next`](Self::next) has returned `None`.
    #[must_use = "bytes there is no room for must be pushed again after `next`"]
    pub fn push<'bytes>(&mut self, bytes: &'bytes [u8]) -> &'bytes [u8] {
        let room = CAPACITY.saturating_sub(self.kept.len());
        let (taken, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.kept.extend_from_slice(taken);
        self.quiet &= taken.is_empty();
        rest
    }

    /// Returns the next request, or how many bytes were discarded before it; `None` when more bytes are needed.
    #[expect(
        clippy::should_implement_trait,
        reason = "it ends and goes on again, as an iterator must not"
    )]
    pub fn next(&mut self) -> Option<Received> {
        loop {
            match self.front() {
                Front::Junk(bytes) => {
                    self.drop_front(bytes);
                    self.discarded = self.discarded.saturating_add(bytes);
                }
                Front::Request if self.discarded == 0 => return self.take_request(),
                Front::Request | Front::Undecided => return self.take_discarded(),
            }
        }
    }

    /// Tells whether part of a request is kept, so that [`abandon_partial`](Self::abandon_partial) should be
    /// called if the rest does not come.
    pub fn has_partial(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The bytes that are kept: part of a request, or requests that were not asked for yet.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// Gives up waiting for more bytes. [`next`](Self::next) then takes what is whole and discards what is not.
    pub fn abandon_partial(&mut self) {
        self.quiet = true;
    }

    fn front(&self) -> Front {
        let start = self.find_header(0);
        if start > 0 {
            return Front::Junk(start);
        }
        if self.kept.len() < REQUEST_SIZE {
            return if self.quiet && self.has_partial() {
                Front::Junk(self.find_header(1))
            } else {
                Front::Undecided
            };
        }
        let inner = self.find_header(1);
        let is_whole = inner >= REQUEST_SIZE || self.header_at(REQUEST_SIZE) == Header::Present;
        let is_overtaken = self.header_at(inner) == Header::Present
            && self.kept.len() >= inner.saturating_add(REQUEST_SIZE);
        match (is_whole, is_overtaken) {
            (true, _) => Front::Request,
            (false, true) => Front::Junk(inner),
            (false, false) if self.quiet => Front::Request,
            (false, false) => Front::Undecided,
        }
    }

    /// Returns where the next possible header begins, or the number of bytes kept.
    fn find_header(&self, from: usize) -> usize {
        (from..self.kept.len())
            .find(|&at| self.header_at(at) != Header::Absent)
            .unwrap_or(self.kept.len())
    }

    fn header_at(&self, at: usize) -> Header {
        let seen = self.kept.get(at..).unwrap_or_default();
        let magic = MAGIC.to_ne_bytes();
        if seen.iter().zip(&magic).any(|(seen, magic)| seen != magic) {
            Header::Absent
        } else if seen.len() < HEADER_SIZE {
            Header::Possible
        } else if integer(seen, COMMAND_RANGE) <= LAST_COMMAND {
            Header::Present
        } else {
            Header::Absent
        }
    }

    fn take_request(&mut self) -> Option<Received> {
        let request = Request::decode(self.kept.first_chunk()?)?;
        self.drop_front(REQUEST_SIZE);
        Some(Received::Request(request))
    }

    fn take_discarded(&mut self) -> Option<Received> {
        let bytes = std::mem::take(&mut self.discarded);
        (bytes > 0).then_some(Received::Discarded { bytes })
    }

    fn drop_front(&mut self, bytes: usize) {
        self.kept.drain(..bytes.min(self.kept.len()));
    }
}
