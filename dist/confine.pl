# Runs a command that can open no socket but local ones (AF_UNIX); neither can what it starts. Needs no right: a filter on system calls, which the kernel
# takes from anybody who gives up gaining privileges (seccomp(2), SECCOMP_SET_MODE_FILTER). unshare(1) would need what Kubernetes' default profile refuses.
# Arguments: the machine, as uname -m says it, and the command. Ends with a message and code 1 where the filter can't be set.
# Decision: docs/decisions/0016-restore-test.md
use strict;
use warnings;

my ( $machine, @command ) = @ARGV;

# AUDIT_ARCH_* (linux/audit.h), and the numbers of socket and prctl (asm/unistd.h).
my %numbers = ( x86_64 => [ 0xC000003E, 41, 157 ], aarch64 => [ 0xC00000B7, 198, 167 ] );
my ( $architecture, $socket, $prctl ) = @{ $numbers{$machine} // fail("machine $machine is not known here") };

# struct sock_filter (linux/filter.h): code, jump if true, jump if false, operand.
sub instruction { return pack 'SCCL', @_ }
sub load    { return instruction( 0x20, 0,     0,     shift ) }    # offset in struct seccomp_data
sub equal   { return instruction( 0x15, $_[1], $_[2], $_[0] ) }
sub least   { return instruction( 0x35, $_[1], $_[2], $_[0] ) }
sub allow   { return instruction( 0x06, 0,     0,     0x7FFF0000 ) }
sub refuse  { return instruction( 0x06, 0,     0,     0x00050000 | shift ) }    # with this errno

my $filter = join '',
  # Calls of another architecture (32 bits), and of x32, have other numbers.
  load(4), equal( $architecture, 1, 0 ), refuse(1),
  load(0), least( 0x40000000, 0, 1 ), refuse(1),
  # io_uring opens sockets by itself: io_uring_setup does not exist.
  equal( 425, 0, 1 ), refuse(38),
  # socket: the first argument is the family; 1 is AF_UNIX.
  equal( $socket, 0, 3 ), load(16), equal( 1, 1, 0 ), refuse(13),
  allow();

# PR_SET_NO_NEW_PRIVS, and PR_SET_SECCOMP with SECCOMP_MODE_FILTER and a struct sock_fprog.
my $program = pack 'Sx6P', length($filter) / 8, $filter;
syscall( $prctl, 38, 1, 0, 0, 0 ) == 0 or fail("PR_SET_NO_NEW_PRIVS: $!");
syscall( $prctl, 22, 2, $program, 0, 0 ) == 0 or fail("PR_SET_SECCOMP: $!");
# Seen, not believed: AF_INET, AF_INET6.
socket( my $probe, $_, 1, 0 ) and fail("a socket of family $_ can still be opened") for 2, 10;
exec @command or fail("$command[0]: $!");

sub fail { print STDERR "@_\n"; exit 1 }
