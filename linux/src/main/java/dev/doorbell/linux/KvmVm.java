package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// A virtual machine of KVM: its memory, and how interrupts reach it without any thread of this process.
///
/// A device's vector goes straight into the guest when its trigger is an {@link EventFd} that is connected here: {@link #connect}. Safe for use
/// from many threads.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst`
public final class KvmVm implements AutoCloseable {
  private static final String PATH = "/dev/kvm";

  private final Descriptor vm;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, GuestMsi> routes = new TreeMap<>();
  private final List<KvmVcpu> vcpus = new ArrayList<>();

  private KvmVm(Descriptor vm) {
    this.vm = vm;
  }

  /// {@return an empty machine of the architecture's usual kind}
  ///
  /// @throws ErrnoException when there is no KVM here, or this user may not use it
  public static KvmVm create(SystemCalls calls) {
    Kernel kernel = new Kernel(calls);
    try (Descriptor kvm = kernel.open(PATH, KernelConstants.O_RDWR, KvmVm::noKvm)) {
      int version = kvm.ioctl(KvmLayout.KVM_GET_API_VERSION, MemorySegment.NULL);
      if (version != KvmLayout.API_VERSION) {
        throw new ErrnoException(
            "KVM_GET_API_VERSION",
            PATH,
            Errno.EOPNOTSUPP,
            new Because(
                "it has interface %d, not %d".formatted(version, KvmLayout.API_VERSION),
                "use a kernel of 2.6.22 or later"));
      }
      int fd = kvm.ioctl(KvmLayout.KVM_CREATE_VM, MemorySegment.NULL);
      return new KvmVm(kernel.own(fd, "KVM_CREATE_VM", "a virtual machine"));
    }
  }

  private static Because noKvm(Errno e) {
    return switch (e.name()) {
      case "ENOENT", "ENODEV" ->
          new Because(
              "this kernel has no KVM, or the processor's virtualisation is off",
              "load kvm_intel or kvm_amd, turn virtualisation on in firmware, or, in a virtual machine, allow nesting");
      case "EACCES", "EPERM" ->
          new Because("this user may not use KVM", "add the user to the group kvm");
      default -> Because.general(e);
    };
  }

  Descriptor descriptor() {
    return vm;
  }

  /// Makes the interrupt controllers of a PC inside the kernel: two 8259s, an IOAPIC, and a local APIC for each vCPU that follows.
  ///
  /// @param taskState three pages of guest-physical memory that the kernel uses on some processors
  /// @throws ErrnoException on other architectures
  public void createPcInterrupts(AddressRange taskState) {
    vm.ioctl(KvmLayout.KVM_SET_TSS_ADDR, MemorySegment.ofAddress(taskState.start()));
    vm.ioctl(KvmLayout.KVM_CREATE_IRQCHIP, MemorySegment.NULL);
  }

  /// Gives the guest memory of this process, which stays mapped as long as the machine lives.
  ///
  /// @param slot a number of the caller's; a slot that is in use is replaced
  /// @param guest where the guest sees it, whole pages
  /// @throws ErrnoException when it meets another slot
  public void addMemory(int slot, AddressRange guest, MemorySegment memory) {
    if (memory.byteSize() != guest.bytes() || !memory.isNative()) {
      throw new IllegalArgumentException(
          "%d bytes of memory cannot be the guest's %s".formatted(memory.byteSize(), guest));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment r = KvmLayout.MEMORY_REGION.allocate(arena);
      KvmLayout.REGION_SLOT.set(r, slot);
      KvmLayout.REGION_GUEST.set(r, guest.start());
      KvmLayout.REGION_SIZE.set(r, guest.bytes());
      KvmLayout.REGION_USER.set(r, memory.address());
      vm.ioctl(KvmLayout.KVM_SET_USER_MEMORY_REGION, r);
    }
  }

  /// {@return a new virtual processor}
  public KvmVcpu createVcpu(int id) {
    int fd = vm.ioctl(KvmLayout.KVM_CREATE_VCPU, MemorySegment.ofAddress(id));
    KvmVcpu v = new KvmVcpu(vm.kernel().own(fd, "KVM_CREATE_VCPU", "vCPU " + id));
    lock.lock();
    try {
      vcpus.add(v);
    } finally {
      lock.unlock();
    }
    return v;
  }

  /// Leads some of the guest's interrupts to messages, all in one step: the kernel's table is replaced once. Interrupts not named stay as they
  /// are; connected eventfds follow at once.
  ///
  /// @param changes messages by global interrupt number
  /// @throws IllegalArgumentException when the machine has an ITS and a message has no device id: the kernel would take it and never
  ///     deliver
  /// @throws ErrnoException when there are more than the kernel has room for; the table is as before
  public void route(Map<Integer, GuestMsi> changes) {
    lock.lock();
    try {
      Map<Integer, GuestMsi> all = new TreeMap<>(routes);
      all.putAll(changes);
      if (looksAtDevices()) {
        all.forEach((gsi, m) -> {
          if (m.deviceId().isEmpty()) {
            throw new IllegalArgumentException(
                "interrupt %d has no device id, and the machine's ITS delivers nothing without"
                    .formatted(gsi));
          }
        });
      }
      commit(all);
      routes.clear();
      routes.putAll(all);
    } finally {
      lock.unlock();
    }
  }

  /// Only the machine itself answers this rightly, once it has its controllers.
  private boolean looksAtDevices() {
    return vm.tryIoctl(
            KvmLayout.KVM_CHECK_EXTENSION, MemorySegment.ofAddress(KvmLayout.CAP_MSI_DEVID))
        > 0;
  }

  private void commit(Map<Integer, GuestMsi> all) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment t =
          KvmLayout.ROUTING.allocate(arena, (long) all.size() * KvmLayout.ROUTE.bytes());
      KvmLayout.ROUTING_NR.set(t, all.size());
      long at = KvmLayout.ROUTING_ENTRIES.offset();
      for (Map.Entry<Integer, GuestMsi> e : all.entrySet()) {
        GuestMsi m = e.getValue();
        KvmLayout.ROUTE_GSI.set(t, at, e.getKey());
        KvmLayout.ROUTE_TYPE.set(t, at, KvmLayout.ROUTE_MSI);
        KvmLayout.ROUTE_FLAGS.set(t, at, m.deviceId().isPresent() ? KvmLayout.MSI_VALID_DEVID : 0);
        KvmLayout.ROUTE_ADDRESS_LO.set(t, at, m.address());
        KvmLayout.ROUTE_ADDRESS_HI.set(t, at, m.address() >>> Integer.SIZE);
        KvmLayout.ROUTE_DATA.set(t, at, m.data());
        KvmLayout.ROUTE_DEVID.set(t, at, m.deviceId().orElse(0));
        at += KvmLayout.ROUTE.bytes();
      }
      vm.ioctl(
          KvmLayout.KVM_SET_GSI_ROUTING,
          t,
          e ->
              new Because(
                  "the kernel does not take %d routes up to interrupt %d"
                      .formatted(all.size(), all.keySet().stream().reduce(0, Math::max)),
                  "lead fewer vectors to the guest: a kernel has room for 4096 (KVM_MAX_IRQ_ROUTES)"));
    }
  }

  /// A connection of an eventfd to the guest.
  public final class Connection implements AutoCloseable {
    private final EventFd event;
    private final int gsi;
    private boolean ended;

    private Connection(EventFd event, int gsi) {
      this.event = event;
      this.gsi = gsi;
    }

    /// Ends it; signals after this stay in the eventfd.
    @Override
    public void close() {
      if (!ended) {
        ended = true;
        irqfd(event, gsi, KvmLayout.IRQFD_DEASSIGN, -1);
      }
    }
  }

  /// Lets every signal of an eventfd raise an interrupt of the guest. The kernel takes the signals; nobody here sees them.
  ///
  /// @throws ErrnoException with EBUSY when the eventfd is connected already
  public Connection connect(EventFd event, int gsi) {
    irqfd(event, gsi, 0, -1);
    return new Connection(event, gsi);
  }

  /// As {@link #connect}, for a level-triggered interrupt: the second eventfd is signalled when the guest has handled it.
  public Connection connectLevel(EventFd event, int gsi, EventFd handled) {
    int fd = handled.descriptor().acquire();
    try {
      irqfd(event, gsi, KvmLayout.IRQFD_RESAMPLE, fd);
    } finally {
      handled.descriptor().release();
    }
    return new Connection(event, gsi);
  }

  private void irqfd(EventFd event, int gsi, int flags, int resample) {
    int fd = event.descriptor().acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.IRQFD.allocate(arena);
      KvmLayout.IRQFD_FD.set(s, fd);
      KvmLayout.IRQFD_GSI.set(s, gsi);
      KvmLayout.IRQFD_FLAGS.set(s, flags);
      KvmLayout.IRQFD_RESAMPLEFD.set(s, resample);
      vm.ioctl(
          KvmLayout.KVM_IRQFD,
          s,
          e ->
              e.equals(Errno.EBUSY)
                  ? new Because(
                      event.descriptor().name() + " is connected", "end the other one first")
                  : Because.general(e));
    } finally {
      event.descriptor().release();
    }
  }

  /// Lets a guest's writes to an address signal an eventfd, without leaving the kernel.
  ///
  /// @param register 1, 2, 4 or 8 bytes of guest-physical memory
  /// @throws ErrnoException with EEXIST when there is one
  public void watchWrites(AddressRange register, EventFd event) {
    int fd = event.descriptor().acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.IOEVENTFD.allocate(arena);
      KvmLayout.IOEVENTFD_ADDR.set(s, register.start());
      KvmLayout.IOEVENTFD_LEN.set(s, register.bytes());
      KvmLayout.IOEVENTFD_FD.set(s, fd);
      vm.ioctl(KvmLayout.KVM_IOEVENTFD, s);
    } finally {
      event.descriptor().release();
    }
  }

  /// Raises a message now.
  ///
  /// {@return whether the guest's controller took it}
  ///
  /// @throws ErrnoException with EBUSY before the guest has set its controller up
  public boolean signal(GuestMsi m) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.MSI.allocate(arena);
      KvmLayout.MSI_ADDRESS_LO.set(s, m.address());
      KvmLayout.MSI_ADDRESS_HI.set(s, m.address() >>> Integer.SIZE);
      KvmLayout.MSI_DATA.set(s, m.data());
      KvmLayout.MSI_FLAGS.set(s, m.deviceId().isPresent() ? KvmLayout.MSI_VALID_DEVID : 0);
      KvmLayout.MSI_DEVID.set(s, m.deviceId().orElse(0));
      return vm.ioctl(KvmLayout.KVM_SIGNAL_MSI, s) > 0;
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      vcpus.forEach(KvmVcpu::close);
      vcpus.clear();
    } finally {
      lock.unlock();
    }
    vm.close();
  }
}
