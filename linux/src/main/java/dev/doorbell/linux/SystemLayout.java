package dev.doorbell.linux;

import dev.doorbell.linux.Struct.Member;

/// Structures of the calls that are not VFIO's.
///
/// **Source**: Linux `include/uapi/linux/eventpoll.h`; `include/uapi/asm-generic/poll.h`; `include/linux/socket.h`; `include/uapi/linux/un.h`
final class SystemLayout {
  /// x86-64 packs this structure, nobody else does.
  static final Struct EPOLL_EVENT =
      System.getProperty("os.arch").equals("amd64")
          ? Struct.packed("struct epoll_event")
          : Struct.of("struct epoll_event");

  static final Member EPOLL_EVENTS = EPOLL_EVENT.u32("events");
  static final Member EPOLL_DATA = EPOLL_EVENT.u64("data");

  static final Struct POLLFD = Struct.of("struct pollfd");
  static final Member POLLFD_FD = POLLFD.u32("fd");
  static final Member POLLFD_EVENTS = POLLFD.u16("events");
  static final Member POLLFD_REVENTS = POLLFD.u16("revents");

  static final Struct IOVEC = Struct.of("struct iovec");
  static final Member IOVEC_BASE = IOVEC.u64("iov_base");
  static final Member IOVEC_LEN = IOVEC.u64("iov_len");

  static final Struct MSGHDR = Struct.of("struct msghdr");
  static final Member MSG_NAME = MSGHDR.u64("msg_name");
  static final Member MSG_NAMELEN = MSGHDR.u32("msg_namelen");
  static final Member MSG_IOV = MSGHDR.u64("msg_iov");
  static final Member MSG_IOVLEN = MSGHDR.u64("msg_iovlen");
  static final Member MSG_CONTROL = MSGHDR.u64("msg_control");
  static final Member MSG_CONTROLLEN = MSGHDR.u64("msg_controllen");
  static final Member MSG_FLAGS = MSGHDR.u32("msg_flags");

  static final Struct CMSGHDR = Struct.of("struct cmsghdr");
  static final Member CMSG_LEN = CMSGHDR.u64("cmsg_len");
  static final Member CMSG_LEVEL = CMSGHDR.u32("cmsg_level");
  static final Member CMSG_TYPE = CMSGHDR.u32("cmsg_type");

  static final Struct SOCKADDR_UN = Struct.of("struct sockaddr_un");
  static final Member SUN_FAMILY = SOCKADDR_UN.u16("sun_family");
  static final Member SUN_PATH = SOCKADDR_UN.block("sun_path", 108, 1);

  static {
    EPOLL_EVENT.end(System.getProperty("os.arch").equals("amd64") ? 12 : 16);
    POLLFD.end(8);
    IOVEC.end(16);
    MSGHDR.end(56);
    CMSGHDR.end(16);
    SOCKADDR_UN.end(110);
  }

  private SystemLayout() {}
}
