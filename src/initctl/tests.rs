//! Tests of the initctl request and of the stream that finds it.
#![forbid(unsafe_code)]

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn change(level: u8, seconds: u64) -> Request {
    Request::ChangeLevel {
        level,
        grace: Duration::from_secs(seconds),
    }
}

fn set(assignments: &[&str]) -> Request {
    Request::SetEnvironment(
        assignments
            .iter()
            .map(|text| Assignment::parse(text.as_bytes()))
            .collect(),
    )
}

/// Feeds everything in pieces of the given size and collects what comes, as the owner of the FIFO does.
fn receive(bytes: &[u8], piece: usize) -> Vec<Received> {
    let mut stream = RequestStream::new();
    let mut received = Vec::new();
    for chunk in bytes.chunks(piece) {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = stream.push(rest);
            while let Some(next) = stream.next() {
                received.push(next);
            }
        }
    }
    stream.abandon_partial();
    while let Some(next) = stream.next() {
        received.push(next);
    }
    assert!(!stream.has_partial());
    received
}

fn requests(received: &[Received]) -> Vec<Request> {
    received
        .iter()
        .filter_map(|received| match received {
            Received::Request(request) => Some(request.clone()),
            Received::Discarded { .. } => None,
        })
        .collect()
}

#[test]
fn a_level_change_has_the_bytes_initctl_documents() {
    let bytes = change(b'3', 5).encode().unwrap();
    assert_eq!(bytes[0..4], 0x0309_1969_u32.to_ne_bytes());
    assert_eq!(bytes[4..8], 1_u32.to_ne_bytes());
    assert_eq!(bytes[8..12], u32::from(b'3').to_ne_bytes());
    assert_eq!(bytes[12..16], 5_u32.to_ne_bytes());
    assert!(bytes[16..].iter().all(|&byte| byte == 0));
}

#[test]
fn variables_are_strings_closed_by_an_empty_one() {
    let bytes = set(&["INIT_A=1", "INIT_B"]).encode().unwrap();
    assert_eq!(bytes[4..8], 6_u32.to_ne_bytes());
    assert_eq!(&bytes[16..34], b"INIT_A=1\0INIT_B\0\0\0");
}

#[test]
fn requests_survive_encoding() {
    let all = [
        change(b'q', 0),
        Request::Power {
            status: PowerStatus::Failing,
            grace: Duration::from_secs(1),
        },
        Request::Power {
            status: PowerStatus::Low,
            grace: Duration::ZERO,
        },
        Request::Power {
            status: PowerStatus::Restored,
            grace: Duration::from_secs(86_400),
        },
        set(&["INIT_HALT=POWEROFF", "INIT_X=", "INIT_Y"]),
        set(&[]),
        Request::Unimplemented { command: 5 },
    ];
    for request in all {
        let bytes = request.encode().unwrap();
        assert_eq!(Request::decode(&bytes), Some(request));
    }
}

#[test]
fn another_magic_number_is_no_request() {
    let mut bytes = change(b'3', 5).encode().unwrap();
    bytes[0] ^= 1;
    assert_eq!(Request::decode(&bytes), None);
}

#[test]
fn a_negative_grace_time_counts_as_none() {
    let mut bytes = change(b'3', 5).encode().unwrap();
    bytes[12..16].copy_from_slice(&(-1_i32).to_ne_bytes());
    assert_eq!(Request::decode(&bytes), Some(change(b'3', 0)));
}

#[test]
fn a_level_that_is_no_character_names_no_level() {
    let mut bytes = change(b'3', 0).encode().unwrap();
    bytes[8..12].copy_from_slice(&0x1_0033_u32.to_ne_bytes());
    assert_eq!(Request::decode(&bytes), Some(change(0, 0)));
}

#[test]
fn variables_without_the_prefix_are_passed_over() {
    let bytes = set(&["PATH=/tmp", "INIT_A=1", "init_b=2", "INIT_C"])
        .encode()
        .unwrap();
    assert_eq!(Request::decode(&bytes), Some(set(&["INIT_A=1", "INIT_C"])));
}

#[test]
fn a_last_string_without_its_nul_is_ignored() {
    let mut bytes = set(&["INIT_A=1"]).encode().unwrap();
    bytes[25..].fill(b'x');
    assert_eq!(Request::decode(&bytes), Some(set(&["INIT_A=1"])));
    bytes[16..].fill(b'x');
    assert_eq!(Request::decode(&bytes), Some(set(&[])));
}

#[test]
fn variables_up_to_the_last_byte_fit_and_one_more_does_not() {
    let fitting = format!("INIT_A={}", "x".repeat(359));
    let bytes = set(&[&fitting]).encode().unwrap();
    assert_eq!(Request::decode(&bytes), Some(set(&[&fitting])));
    assert_eq!(
        set(&[&format!("{fitting}x")]).encode(),
        Err(EncodeError::EnvironmentTooLong { length: 369 })
    );
}

#[test]
fn names_the_reader_could_not_tell_apart_are_refused() {
    for (name, value) in [
        ("", None),
        ("A=B", None),
        ("A\0B", None),
        ("A", Some("1\0")),
    ] {
        let assignment = Assignment {
            name: name.as_bytes().into(),
            value: value.map(|value: &str| value.as_bytes().into()),
        };
        assert_eq!(
            Request::SetEnvironment(vec![assignment.clone()]).encode(),
            Err(EncodeError::Unwritable(assignment))
        );
    }
}

#[test]
fn a_request_is_taken_as_soon_as_its_last_byte_is_there() {
    let bytes = change(b'3', 3).encode().unwrap();
    let mut stream = RequestStream::new();
    assert!(stream.push(&bytes[..383]).is_empty());
    assert_eq!(stream.next(), None);
    assert!(stream.has_partial());
    assert!(stream.push(&bytes[383..]).is_empty());
    assert_eq!(stream.next(), Some(Received::Request(change(b'3', 3))));
    assert_eq!(stream.next(), None);
    assert!(!stream.has_partial());
}

#[test]
fn stray_bytes_do_not_cost_the_request_behind_them() {
    let mut bytes = vec![b'?'; 100];
    bytes.extend(change(b'3', 3).encode().unwrap());
    assert_eq!(
        receive(&bytes, 384),
        [
            Received::Discarded { bytes: 100 },
            Received::Request(change(b'3', 3))
        ]
    );
}

#[test]
fn a_request_cut_short_does_not_cost_the_one_behind_it() {
    for cut in 1..384 {
        let mut bytes = change(b'0', 3).encode().unwrap()[..cut].to_vec();
        bytes.extend(change(b'3', 3).encode().unwrap());
        bytes.extend(change(b'4', 3).encode().unwrap());
        for piece in [61, 384, 2000] {
            assert_eq!(
                receive(&bytes, piece),
                [
                    Received::Discarded { bytes: cut },
                    Received::Request(change(b'3', 3)),
                    Received::Request(change(b'4', 3))
                ],
                "cut after {cut}, in pieces of {piece}"
            );
        }
    }
}

#[test]
fn a_request_cut_short_is_discarded_when_the_fifo_has_been_quiet() {
    let cut = &change(b'0', 3).encode().unwrap()[..100];
    let mut stream = RequestStream::new();
    assert!(stream.push(cut).is_empty());
    assert_eq!(stream.next(), None);
    stream.abandon_partial();
    assert_eq!(stream.next(), Some(Received::Discarded { bytes: 100 }));
    let whole = change(b'3', 3).encode().unwrap();
    assert!(stream.push(&whole).is_empty());
    assert_eq!(stream.next(), Some(Received::Request(change(b'3', 3))));
}

#[test]
fn a_payload_that_looks_like_a_header_is_taken_when_the_fifo_has_been_quiet() {
    let mut bytes = change(b'3', 3).encode().unwrap();
    bytes[100..104].copy_from_slice(&MAGIC.to_ne_bytes());
    let mut stream = RequestStream::new();
    assert!(stream.push(&bytes).is_empty());
    assert_eq!(stream.next(), None);
    stream.abandon_partial();
    assert_eq!(stream.next(), Some(Received::Request(change(b'3', 3))));
}

#[test]
fn a_payload_that_looks_like_a_header_is_taken_when_another_request_follows_it() {
    let mut bytes = change(b'3', 3).encode().unwrap().to_vec();
    bytes[100..104].copy_from_slice(&MAGIC.to_ne_bytes());
    bytes.extend(change(b'4', 3).encode().unwrap());
    assert_eq!(
        requests(&receive(&bytes, 384)),
        [change(b'3', 3), change(b'4', 3)]
    );
}

#[test]
fn a_magic_number_with_an_unknown_command_begins_no_request() {
    let mut bytes = MAGIC.to_ne_bytes().to_vec();
    bytes.extend(8_u32.to_ne_bytes());
    bytes.extend(change(b'3', 3).encode().unwrap());
    assert_eq!(
        receive(&bytes, 384),
        [
            Received::Discarded { bytes: 8 },
            Received::Request(change(b'3', 3))
        ]
    );
}

fn any_request() -> impl Strategy<Value = Request> {
    let grace = (0_u64..=0x7fff_ffff).prop_map(Duration::from_secs);
    let name = "INIT_[A-Z]{0,8}";
    let assignment = (name, proptest::option::of("[ -~]{0,20}")).prop_map(|(name, value)| {
        let value = value.map(|value: String| value.into_bytes().into());
        Assignment {
            name: name.into_bytes().into(),
            value,
        }
    });
    prop_oneof![
        (any::<u8>(), grace.clone())
            .prop_map(|(level, grace)| Request::ChangeLevel { level, grace }),
        (
            prop_oneof![
                Just(PowerStatus::Failing),
                Just(PowerStatus::Low),
                Just(PowerStatus::Restored)
            ],
            grace
        )
            .prop_map(|(status, grace)| Request::Power { status, grace }),
        vec(assignment, 0..8).prop_map(Request::SetEnvironment),
    ]
}

/// Bytes with whole, half and mistaken headers among them.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..300),
        Just(MAGIC.to_ne_bytes().to_vec()),
        (1_usize..384).prop_map(|cut| change(b'9', 1).encode().unwrap()[..cut].to_vec()),
        (1_usize..4).prop_map(|cut| MAGIC.to_ne_bytes()[..cut].to_vec()),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_encoded_is_decoded(request in any_request()) {
        prop_assert_eq!(Request::decode(&request.encode().unwrap()), Some(request));
    }

    #[test]
    fn requests_arrive_in_order_however_the_pipe_cuts_them(
        sent in vec(any_request(), 0..8),
        piece in 1_usize..1000,
    ) {
        let bytes: Vec<u8> = sent.iter().flat_map(|request| request.encode().unwrap()).collect();
        prop_assert_eq!(requests(&receive(&bytes, piece)), sent);
    }

    #[test]
    fn no_junk_costs_the_request_behind_it(
        parts in vec((junk(), any_request()), 1..5),
        piece in 1_usize..1000,
    ) {
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|(junk, request)| [junk.clone(), request.encode().unwrap().to_vec()].concat())
            .collect();
        let mut received = requests(&receive(&bytes, piece)).into_iter();
        for (_, request) in parts {
            prop_assert!(received.any(|next| next == request), "{request:?} was lost");
        }
    }

    #[test]
    fn every_byte_is_accounted_for_and_few_are_kept(
        bytes in vec(prop_oneof![any::<u8>(), prop_oneof![Just(0x69), Just(0x19), Just(9), Just(3), Just(0)]], 0..900),
        piece in 1_usize..500,
    ) {
        let mut stream = RequestStream::new();
        let mut counted = 0;
        for (quiet, chunk) in bytes.chunks(piece).enumerate() {
            prop_assert!(chunk.len() > REQUEST_SIZE || stream.clone().push(chunk).is_empty());
            let mut rest = chunk;
            while !rest.is_empty() {
                rest = stream.push(rest);
                if quiet % 3 == 0 {
                    stream.abandon_partial();
                }
                while let Some(next) = stream.next() {
                    counted += match next {
                        Received::Request(_) => REQUEST_SIZE,
                        Received::Discarded { bytes } => bytes,
                    };
                }
            }
        }
        stream.abandon_partial();
        while let Some(next) = stream.next() {
            counted += match next {
                Received::Request(_) => REQUEST_SIZE,
                Received::Discarded { bytes } => bytes,
            };
        }
        prop_assert_eq!(counted, bytes.len());
    }
}
