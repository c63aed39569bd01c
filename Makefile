# sysvinit-rs: build, try, check, test, install. `make help` lists the targets.

PREFIX  ?= /usr
DESTDIR ?=
CARGO   ?= cargo
WORDS   ?=
SHELL   := /bin/sh

target  := $(or $(CARGO_TARGET_DIR),target)
testbed := target/testbed

# A static build names its target, so that it has a folder of its own and does not
# throw away what the ordinary build has compiled.
host        := $(shell rustc -vV | sed -n 's/^host: //p')
# The last has the names of generic functions tell what they are of, so that link/order can name one of them.
static_flag := -C target-feature=+crt-static -C relocation-model=static -C symbol-mangling-version=v0
ifeq ($(STATIC),1)
programs    := $(target)/$(host)/release
build_flags := --target $(host)
# A make below this one has the flags already; a second time would compile everything anew.
export RUSTFLAGS := $(strip $(subst $(static_flag),,$(RUSTFLAGS)) $(static_flag))
else
programs    := $(target)/release
build_flags :=
endif

# The linker puts together in the file of init what process 1 runs; one that the environment names for this host stays.
linker_name := CARGO_TARGET_$(shell echo $(host) | tr a-z- A-Z_)_LINKER
linker      := $(linker_name)="$${$(linker_name):-$(CURDIR)/link/cc}"

sbin_programs := init sysvtools bootlogd
sbin_links    := halt poweroff reboot shutdown runlevel initctl killall5 fstab-decode insserv chkconfig
rc_links      := rc rcS takedown
# Where Debian has them, so that scripts which call them by their paths find ours.
usr_sbin_links := service invoke-rc.d update-rc.d
# Programs whose words shells complete.
completed     := telinit init shutdown halt poweroff reboot runlevel initctl rc service invoke-rc.d killall5 takedown pidof fstab-decode bootlogd readbootlog insserv update-rc.d chkconfig

need    := tests/setup/need
# `functions` is sourced and names no shell itself; the others say that they are one.
scripts  = $(sort lib/lsb/init-functions $(wildcard init.d/*) $(shell grep -rlE '^\#! ?/bin/(ba)?sh' .ci etc fuzz/run link tests))
pages    = $(wildcard man/*.[1-8])

.PHONY: help
help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS='	' read -r name what; do printf '  make %-20s %s\n' "$$name" "$$what"; done

.PHONY: build
build:  ## compile init, sysvtools and bootlogd (STATIC=1: each one file without shared libraries)
	$(linker) $(CARGO) build --locked --release --bins $(build_flags)

.PHONY: run
run: $(testbed)/small-root  ## start a small system on this terminal, in namespaces (WORDS="..." for the kernel's words)
	@[ -e $(target)/debug/examples/machine ] || echo "building the launcher" >&2
	@$(CARGO) build --locked --quiet --example machine
	@$(target)/debug/examples/machine $(testbed)/small-root $(WORDS)

.PHONY: qemu
qemu: $(testbed)/initramfs.gz $(testbed)/kernel/vmlinuz  ## start the same system on a real kernel under QEMU (leave with poweroff or Ctrl-a x)
	@$(need) qemu-system-x86_64
	@qemu-system-x86_64 -accel tcg -m 384 -nographic -nic none $(QEMU_FLAGS) \
		-kernel $(testbed)/kernel/vmlinuz -initrd $(testbed)/initramfs.gz \
		-append "console=ttyS0 rdinit=/sbin/init quiet $(WORDS)"

.PHONY: check
check:  ## format, lints, unit tests, documentation, scripts: about a minute
	@$(need) awk busybox cc dash mandoc mount nm script shellcheck
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked --lib --test architecture --test documents
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items
	shellcheck -x $(scripts) completions/sysvinit.bash
	@for page in $(pages); do mandoc -T lint -W warning "$$page" || exit 1; done
	@[ ! -e tests/scripts/run.sh ] || sh tests/scripts/run.sh

.PHONY: test
test: check testbed  ## everything: the checks, then all layers up to whole systems under QEMU (about 25 minutes)
	$(CARGO) test --locked --no-fail-fast

.PHONY: boot
boot: testbed  ## whole systems under QEMU: our small one, and a real Debian with our init and rc layer (about 10 minutes)
	$(CARGO) test --locked --test boot

.PHONY: compliance
compliance:  ## play every case on Debian's init and on ours, and compare (about 3 minutes)
	@$(need) busybox dpkg-deb
	$(CARGO) test --locked --test compliance

.PHONY: faults
faults:  ## have every system call of PID 1 fail with every error, everywhere it is made (about 20 minutes)
	@$(need) busybox
	$(CARGO) test --locked --test faults -- --all

.PHONY: model
model:  ## let random events of any order befall the supervisor, MODEL_STEPS (ten million) of them
	MODEL_STEPS=$${MODEL_STEPS:-10000000} CARGO_PROFILE_TEST_OPT_LEVEL=3 \
		$(CARGO) test --locked --target-dir $(target)/model --lib through_long_lives -- --nocapture

.PHONY: walk
walk:  ## let random actions befall a live PID 1 in a namespace, for WALK_SECONDS (600)
	@$(need) busybox
	WALK_SECONDS=$${WALK_SECONDS:-600} $(CARGO) test --locked --test pid1 random_walk -- --nocapture

# The inits themselves are those of `make build`; only what measures them is a test's build.
.PHONY: bench
bench:  ## measure this init beside its peers into doc/benchmarks.md (WORDS="rest size": these chapters only, printed)
	@$(need) busybox cc dpkg-deb strace unshare
	@$(MAKE) -s build && $(MAKE) -s build STATIC=1
	PROGRAMS=$(abspath $(target)/release) STATIC_PROGRAMS=$(abspath $(target)/$(host)/release) \
		$(CARGO) test --locked --bench peers -- --full $(or $(WORDS),--write doc/benchmarks.md)

.PHONY: sanitize
sanitize:  ## the unit tests under AddressSanitizer, and those of pointers under Miri where it is installed
	ASAN_OPTIONS=allocator_may_return_null=1 RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address $(CARGO) test --locked --target $(host) --target-dir $(target)/sanitize --lib
	@! $(CARGO) +nightly miri --version >/dev/null 2>&1 || \
		MIRIFLAGS=-Zmiri-strict-provenance $(CARGO) +nightly miri test --locked --target-dir $(target)/miri --lib miri_

.PHONY: deny
deny:  ## licences, sources and known faults of what we depend on; the last needs the advisory database
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	cargo deny check bans licenses sources
	cargo deny check advisories

.PHONY: fuzz
fuzz:  ## look for bytes that our readers do not bear, FUZZ_SECONDS (60) for each of them
	@$(need) c++
	fuzz/run

# What the slow layers stand on: the small system, a kernel, and a real Debian's disk.
.PHONY: testbed
testbed: $(testbed)/small-root $(testbed)/initramfs.gz $(testbed)/kernel/vmlinuz
	@$(need) buildah crun e2fsck fish newuidmap ps qemu-system-x86_64 runc strace tini useradd zsh
	@$(need) mmdebstrap mkfs.ext4 debugfs && tests/setup/debian-image $(testbed)/debian && tests/setup/debian-bare $(testbed)/bare

# With symbols, which an installed program does not have, and static, as that is where most is to be gained.
.PHONY: order
order:  ## find out what process 1 runs, so that `make build` lays it together in its file (link/order)
	@$(need) busybox nm readelf
	CARGO_PROFILE_RELEASE_STRIP=none RUSTFLAGS='$(static_flag)' \
		$(CARGO) build --locked --release --bin init --target $(host) --target-dir $(target)/order
	$(CARGO) test --locked --test order -- $(abspath $(target)/order/$(host)/release/init) $(CURDIR)/link/order

.PHONY: install
install: install-bin install-rc install-completions  ## install programs, rc scripts and manual pages (DESTDIR, PREFIX, STATIC)
	@for page in $(pages); do \
		folder="$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}"; \
		install -d "$$folder" && \
		if [ -L "$$page" ]; then ln -sfn "$$(readlink "$$page")" "$$folder/$${page##*/}"; \
		else install -m 644 "$$page" "$$folder"; fi || exit 1; \
	done

.PHONY: install-bin
install-bin: build  ## install the programs and their links only
	install -d "$(DESTDIR)/sbin" "$(DESTDIR)/lib/init"
	for program in $(sbin_programs); do \
		install -m 755 "$(programs)/$$program" "$(DESTDIR)/sbin/$$program.new" && \
		mv -f "$(DESTDIR)/sbin/$$program.new" "$(DESTDIR)/sbin/$$program" || exit 1; \
	done
	ln -sfn init "$(DESTDIR)/sbin/telinit"
	for link in $(sbin_links); do ln -sfn sysvtools "$(DESTDIR)/sbin/$$link" || exit 1; done
	install -d "$(DESTDIR)/bin" "$(DESTDIR)$(PREFIX)/bin"
	ln -sfn ../sbin/sysvtools "$(DESTDIR)/bin/pidof"
	ln -sfn /sbin/sysvtools "$(DESTDIR)$(PREFIX)/bin/readbootlog"
	install -d "$(DESTDIR)$(PREFIX)/sbin"
	for link in $(usr_sbin_links); do ln -sfn /sbin/sysvtools "$(DESTDIR)$(PREFIX)/sbin/$$link" || exit 1; done
	for link in $(rc_links); do ln -sfn /sbin/sysvtools "$(DESTDIR)/lib/init/$$link" || exit 1; done

.PHONY: install-rc
install-rc:  ## install inittab, rc scripts and their links; a file of yours is kept
	@tests/setup/install-rc "$(DESTDIR)"

share := $(DESTDIR)$(PREFIX)/share
.PHONY: install-completions
install-completions:  ## install what bash, zsh and fish complete
	install -d "$(share)/bash-completion/completions" "$(share)/zsh/site-functions" "$(share)/fish/vendor_completions.d"
	install -m 644 completions/sysvinit.bash "$(share)/bash-completion/completions/sysvinit"
	install -m 644 completions/_sysvinit "$(share)/zsh/site-functions"
	install -m 644 completions/sysvinit.fish "$(share)/fish/vendor_completions.d"
	for program in $(completed); do \
		ln -sfn sysvinit "$(share)/bash-completion/completions/$$program" && \
		ln -sfn sysvinit.fish "$(share)/fish/vendor_completions.d/$$program.fish" || exit 1; \
	done

.PHONY: clean
clean:  ## remove everything that was built or downloaded
	$(CARGO) clean
	rm -rf $(testbed)

# The small root is made anew whenever a program, a script or a configuration file has changed.
sources := Cargo.toml Cargo.lock Makefile $(shell find src etc init.d lib rc.d tests/setup -type f 2>/dev/null)
$(testbed)/small-root: $(sources)
	@$(need) cc dpkg-deb
	@mkdir -p $(testbed)
	tests/setup/small-root $@

$(testbed)/initramfs.gz: $(testbed)/small-root tests/setup/initramfs
	@$(need) cpio
	tests/setup/initramfs $< $@

$(testbed)/kernel/vmlinuz: tests/setup/kernel
	@$(need) dpkg-deb
	tests/setup/kernel $(testbed)/kernel
