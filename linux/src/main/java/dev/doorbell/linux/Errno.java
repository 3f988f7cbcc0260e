package dev.doorbell.linux;

import java.util.HashMap;
import java.util.Map;

/// A reason for which the kernel refuses a call.
///
/// @param number the kernel's number, above 0
/// @param name its name in the headers, such as `EPERM`; `errno 600` when it has none
/// @param meaning what it says in general
/// **Source**: Linux `include/uapi/asm-generic/errno-base.h`, `errno.h`; the numbers of arm64, x86-64 and riscv64, and of ppc64le but for 58
public record Errno(int number, String name, String meaning) {
  // spotless:off
  private static final String TABLE =
      """
        1 EPERM            operation not permitted
        2 ENOENT           no such file or directory
        3 ESRCH            no such process
        4 EINTR            interrupted
        5 EIO              input or output error
        6 ENXIO            no such device or address
        7 E2BIG            argument list too long
        8 ENOEXEC          not an executable format
        9 EBADF            bad file descriptor
       10 ECHILD           no child process
       11 EAGAIN           nothing there yet, or limit reached
       12 ENOMEM           out of memory, or over the limit of locked memory
       13 EACCES           access denied
       14 EFAULT           bad address
       15 ENOTBLK          not a block device
       16 EBUSY            device or resource busy
       17 EEXIST           exists already
       18 EXDEV            crosses file systems
       19 ENODEV           no such device
       20 ENOTDIR          not a directory
       21 EISDIR           is a directory
       22 EINVAL           invalid argument
       23 ENFILE           too many open files in the system
       24 EMFILE           too many open files in this process
       25 ENOTTY           the kernel does not know this request for this file
       26 ETXTBSY          text file busy
       27 EFBIG            file too large
       28 ENOSPC           no space left
       29 ESPIPE           cannot seek
       30 EROFS            read-only file system
       31 EMLINK           too many links
       32 EPIPE            nobody reads the other end
       33 EDOM             outside the domain of the function
       34 ERANGE           result out of range
       35 EDEADLK          would deadlock
       36 ENAMETOOLONG     name too long
       37 ENOLCK           -
       38 ENOSYS           the kernel does not have this call
       39 ENOTEMPTY        -
       40 ELOOP            too many symbolic links
       42 ENOMSG           -
       43 EIDRM            -
       44 ECHRNG           -
       45 EL2NSYNC         -
       46 EL3HLT           -
       47 EL3RST           -
       48 ELNRNG           -
       49 EUNATCH          -
       50 ENOCSI           -
       51 EL2HLT           -
       52 EBADE            -
       53 EBADR            -
       54 EXFULL           -
       55 ENOANO           -
       56 EBADRQC          -
       57 EBADSLT          -
       59 EBFONT           -
       60 ENOSTR           -
       61 ENODATA          no data
       62 ETIME            timer expired
       63 ENOSR            -
       64 ENONET           -
       65 ENOPKG           -
       66 EREMOTE          -
       67 ENOLINK          -
       68 EADV             -
       69 ESRMNT           -
       70 ECOMM            communication error
       71 EPROTO           protocol error
       72 EMULTIHOP        -
       73 EDOTDOT          -
       74 EBADMSG          bad message
       75 EOVERFLOW        value too large
       76 ENOTUNIQ         -
       77 EBADFD           -
       78 EREMCHG          -
       79 ELIBACC          -
       80 ELIBBAD          -
       81 ELIBSCN          -
       82 ELIBMAX          -
       83 ELIBEXEC         -
       84 EILSEQ           illegal byte sequence
       85 ERESTART         -
       86 ESTRPIPE         -
       87 EUSERS           -
       88 ENOTSOCK         not a socket
       89 EDESTADDRREQ     -
       90 EMSGSIZE         message too long
       91 EPROTOTYPE       -
       92 ENOPROTOOPT      -
       93 EPROTONOSUPPORT  -
       94 ESOCKTNOSUPPORT  -
       95 EOPNOTSUPP       operation not supported
       96 EPFNOSUPPORT     -
       97 EAFNOSUPPORT     address family not supported
       98 EADDRINUSE       address in use
       99 EADDRNOTAVAIL    address not available
      100 ENETDOWN         -
      101 ENETUNREACH      -
      102 ENETRESET        -
      103 ECONNABORTED     connection aborted
      104 ECONNRESET       connection reset by the peer
      105 ENOBUFS          no buffer space
      106 EISCONN          is connected
      107 ENOTCONN         is not connected
      108 ESHUTDOWN        -
      109 ETOOMANYREFS     -
      110 ETIMEDOUT        timed out
      111 ECONNREFUSED     connection refused
      112 EHOSTDOWN        -
      113 EHOSTUNREACH     no route to host
      114 EALREADY         in progress already
      115 EINPROGRESS      now in progress
      116 ESTALE           stale handle
      117 EUCLEAN          -
      118 ENOTNAM          -
      119 ENAVAIL          -
      120 EISNAM           -
      121 EREMOTEIO        -
      122 EDQUOT           quota exceeded
      123 ENOMEDIUM        -
      124 EMEDIUMTYPE      -
      125 ECANCELED        cancelled
      126 ENOKEY           -
      127 EKEYEXPIRED      -
      128 EKEYREVOKED      -
      129 EKEYREJECTED     -
      130 EOWNERDEAD       -
      131 ENOTRECOVERABLE  not recoverable
      132 ERFKILL          -
      133 EHWPOISON        -
      """;
  // spotless:on
  private static final Map<Integer, Errno> ALL = parse();

  public static final Errno EPERM = of(1);
  public static final Errno ENOENT = of(2);
  public static final Errno EINTR = of(4);
  public static final Errno EIO = of(5);
  public static final Errno ENXIO = of(6);
  public static final Errno EBADF = of(9);
  public static final Errno EAGAIN = of(11);
  public static final Errno ENOMEM = of(12);
  public static final Errno EACCES = of(13);
  public static final Errno EFAULT = of(14);
  public static final Errno EBUSY = of(16);
  public static final Errno EEXIST = of(17);
  public static final Errno ENODEV = of(19);
  public static final Errno EINVAL = of(22);
  public static final Errno EMFILE = of(24);
  public static final Errno ENOTTY = of(25);
  public static final Errno ENOSPC = of(28);
  public static final Errno ENOSYS = of(38);
  public static final Errno EOPNOTSUPP = of(95);
  public static final Errno EADDRINUSE = of(98);

  /// {@return the errno with a number}
  ///
  /// @param number above 0
  public static Errno of(int number) {
    Errno e = ALL.get(number);
    return e != null ? e : new Errno(number, "errno " + number, "a reason without a name");
  }

  /// {@return the errno that the headers name so}
  ///
  /// @throws IllegalArgumentException when they name none so
  public static Errno named(String name) {
    return ALL.values().stream()
        .filter(e -> e.name.equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no errno " + name));
  }

  /// {@return the errno in a negative answer of {@link SystemCalls}}
  public static Errno in(long answer) {
    return of((int) -answer);
  }

  private static Map<Integer, Errno> parse() {
    Map<Integer, Errno> out = new HashMap<>();
    for (String line : TABLE.lines().toList()) {
      String[] words = line.strip().split("\\s+", 3);
      int number = Integer.parseInt(words[0]);
      String meaning = words[2].equals("-") ? "no more is known of it" : words[2];
      out.put(number, new Errno(number, words[1], meaning));
    }
    return Map.copyOf(out);
  }
}
