package dev.doorbell.linux;

/// Numbers of the kernel's headers that are the same on every architecture Doorbell runs on (arm64, x86-64, riscv64, ppc64le).
///
/// **Source**: Linux `include/uapi/asm-generic/fcntl.h`, `mman-common.h`, `include/uapi/linux/eventpoll.h`, `memfd.h`, `include/linux/socket.h`
final class KernelConstants {
  static final int O_RDONLY = 0;
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x8_0000;

  static final int PROT_READ = 1;
  static final int PROT_WRITE = 2;
  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE = 2;
  static final int MAP_ANONYMOUS = 0x20;
  static final int MAP_POPULATE = 0x8000;
  static final int MAP_HUGETLB = 0x4_0000;

  static final int EFD_SEMAPHORE = 1;
  static final int EFD_NONBLOCK = O_NONBLOCK;
  static final int EFD_CLOEXEC = O_CLOEXEC;
  static final int MFD_CLOEXEC = 1;

  static final int F_DUPFD_CLOEXEC = 1030;

  static final int EPOLL_CLOEXEC = O_CLOEXEC;
  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLL_CTL_DEL = 2;
  static final int EPOLL_CTL_MOD = 3;
  static final int EPOLLIN = 1;
  static final int POLLIN = 1;

  static final int AF_UNIX = 1;
  static final int SOCK_STREAM = 1;
  static final int SOCK_CLOEXEC = O_CLOEXEC;
  static final int SOL_SOCKET = 1;
  static final int SCM_RIGHTS = 1;
  static final int MSG_CTRUNC = 8;
  static final int MSG_NOSIGNAL = 0x4000;
  static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

  private KernelConstants() {}
}
