//! A log daemon's ear: the datagram socket behind `/dev/log` of a machine, and what arrived there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

pub(crate) struct Syslog {
    heard: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Syslog {
    /// Listens in the machine whose root lies at `root`. Must be there before the machine starts.
    pub(crate) fn listen(root: &Path) -> Self {
        // Through a descriptor: the name of a socket may have a hundred characters only.
        let directory = File::open(root).unwrap();
        let name = format!("/proc/self/fd/{}/log.socket", directory.as_raw_fd());
        let socket = UnixDatagram::bind(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (ear, end) = (Arc::clone(&heard), Arc::clone(&stop));
        // A thread, so that nobody who logs ever has to wait for room.
        let listener = Builder::new()
            .name("syslog".into())
            .spawn(move || {
                let mut bytes = [0; 2048];
                while !end.load(Ordering::Relaxed) {
                    if let Ok(length) = socket.recv(&mut bytes) {
                        let line = String::from_utf8_lossy(&bytes[..length]).into_owned();
                        ear.lock().unwrap().push(line);
                    }
                }
            })
            .expect("cannot start a thread");
        Syslog {
            heard,
            stop,
            listener: Some(listener),
        }
    }

    /// Everything heard so far, with `DATE` in place of the time.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heard
            .lock()
            .unwrap()
            .iter()
            .map(|line| without_date(line))
            .collect()
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            listener.join().expect("the log's listener failed");
        }
    }
}

/// `<30>Nov  3 02:13:29 init: words` without the time; anything else as it is.
fn without_date(line: &str) -> String {
    match line.split_once('>') {
        Some((priority, rest)) if rest.is_char_boundary(15) && rest.len() > 16 => {
            let (date, words) = rest.split_at(15);
            let has_shape = date
                .bytes()
                .zip("Mmm dd hh:mm:ss".bytes())
                .all(|(have, shape)| shape != b':' || have == b':');
            if has_shape {
                return format!("{priority}>DATE{words}");
            }
            line.to_owned()
        }
        _ => line.to_owned(),
    }
}
