package dev.doorbell.linux;

/// Numbers of the kernel's headers that are the same on every architecture Doorbell runs on (arm64, x86-64, riscv64, ppc64le).
///
/// **Source**: Linux `include/uapi/asm-generic/fcntl.h`, `mman-common.h`, `include/uapi/linux/eventpoll.h`, `memfd.h`, `include/linux/socket.h`
public final class KernelConstants {
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_CLOEXEC = 0x8_0000;

  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE = 2;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MAP_POPULATE = 0x8000;
  public static final int MAP_HUGETLB = 0x4_0000;

  public static final int EFD_SEMAPHORE = 1;
  public static final int EFD_NONBLOCK = O_NONBLOCK;
  public static final int EFD_CLOEXEC = O_CLOEXEC;
  public static final int MFD_CLOEXEC = 1;

  public static final int F_DUPFD_CLOEXEC = 1030;

  public static final int EPOLL_CLOEXEC = O_CLOEXEC;
  public static final int EPOLL_CTL_ADD = 1;
  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;
  public static final int EPOLLIN = 1;
  public static final int POLLIN = 1;

  public static final int AF_UNIX = 1;
  public static final int SOCK_STREAM = 1;
  public static final int SOCK_CLOEXEC = O_CLOEXEC;
  public static final int SOL_SOCKET = 1;
  public static final int SCM_RIGHTS = 1;
  public static final int MSG_CTRUNC = 8;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

  private KernelConstants() {}
}
