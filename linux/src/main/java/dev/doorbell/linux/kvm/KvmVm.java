package dev.doorbell.linux.kvm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Rollback;
import dev.doorbell.linux.Because;
import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.KernelConstants;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.vfio.Guest;
import dev.doorbell.vfio.GuestIrq;
import dev.doorbell.vfio.Trigger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// A virtual machine of KVM: its memory, and how interrupts reach it without any thread of this process.
///
/// A device's vector goes straight into the guest by {@link dev.doorbell.vfio.Device#vector}'s `forwardTo`, or when its trigger is an
/// {@link EventFd} that is connected here: {@link #connect}. Safe for use from many threads.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst`
public final class KvmVm implements Guest, AutoCloseable {
  private static final String PATH = "/dev/kvm";

  /// What {@link #signal} hands to the kernel; one a thread, all of its members but the padding written each time.
  private static final ThreadLocal<MemorySegment> MESSAGE =
      ThreadLocal.withInitial(() -> KvmLayout.MSI.allocate(Arena.ofAuto()));

  private final Descriptor vm;
  private final ReentrantLock lock = new ReentrantLock();
  private final KvmRoutes routes;

  /// What is given back with the machine, the machine itself last.
  private final Rollback parts = new Rollback();

  /// Bytes of the page that a processor shares.
  private final int shared;

  private KvmVm(Descriptor vm, int shared) {
    this.vm = vm;
    this.shared = shared;
    this.routes = new KvmRoutes(vm);
    parts.add(vm::close);
  }

  /// {@return an empty machine of the architecture's usual kind}
  ///
  /// @throws ErrnoException when there is no KVM here, or this user may not use it
  public static KvmVm create(SystemCalls calls) {
    Kernel kernel = new Kernel(calls);
    try (Descriptor kvm = kernel.open(PATH, KernelConstants.O_RDWR, KvmRefused::open)) {
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
      int shared = kvm.ioctl(KvmLayout.KVM_GET_VCPU_MMAP_SIZE, MemorySegment.NULL);
      int fd = kvm.ioctl(KvmLayout.KVM_CREATE_VM, MemorySegment.NULL, KvmRefused::machine);
      return new KvmVm(kernel.own(fd, "KVM_CREATE_VM", "a virtual machine"), shared);
    }
  }

  Descriptor descriptor() {
    return vm;
  }

  /// Makes the interrupt controllers of a PC inside the kernel: two 8259s, an IOAPIC, and a local APIC for each vCPU that follows.
  ///
  /// @param taskState three pages of guest-physical memory that the kernel uses on some processors
  /// @throws ErrnoException on other architectures
  public void createPcInterrupts(AddressRange taskState) {
    placeTaskState(taskState);
    vm.ioctl(KvmX86Layout.KVM_CREATE_IRQCHIP, MemorySegment.NULL, KvmRefused::pc);
    routes.leadToPcInputs();
  }

  private void placeTaskState(AddressRange at) {
    vm.ioctl(KvmX86Layout.KVM_SET_TSS_ADDR, MemorySegment.ofAddress(at.start()), KvmRefused::pc);
  }

  /// Makes local APICs alone inside the kernel, for each vCPU that follows: whoever runs the machine has the 8259s and the IOAPIC, or none.
  ///
  /// @param taskState as for {@link #createPcInterrupts}
  /// @param ioapicPins inputs of the user's IOAPIC, whose global interrupts 0 up are kept for it; 1 to 1024
  /// @throws ErrnoException on other architectures
  public void createLocalApics(AddressRange taskState, int ioapicPins) {
    placeTaskState(taskState);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = KvmLayout.CAPABILITY.allocate(arena);
      KvmLayout.CAPABILITY_CAP.set(c, KvmX86Layout.CAP_SPLIT_IRQCHIP);
      KvmLayout.CAPABILITY_ARG0.set(c, ioapicPins);
      vm.ioctl(KvmLayout.KVM_ENABLE_CAP, c, KvmRefused::pc);
    }
  }

  /// Gives the guest memory of this process, which stays mapped as long as the slot is there.
  ///
  /// @param slot a number of the caller's; one that is in use may name the same memory at another place of the guest's, which moves it
  /// @param guest where the guest sees it, whole pages
  /// @param memory a device's registers, too, where they are mapped: the guest then uses them without leaving
  /// @throws ErrnoException when it meets another slot, or its slot has other memory
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
      vm.ioctl(KvmLayout.KVM_SET_USER_MEMORY_REGION, r, e -> KvmRefused.memory(e, slot, guest));
    }
  }

  /// Takes memory back; the guest's accesses there leave the kernel from now on. Its slot may be used again.
  ///
  /// @throws ErrnoException when there is none
  public void removeMemory(int slot) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment r = KvmLayout.MEMORY_REGION.allocate(arena);
      KvmLayout.REGION_SLOT.set(r, slot);
      vm.ioctl(KvmLayout.KVM_SET_USER_MEMORY_REGION, r, e -> KvmRefused.noMemory(e, slot));
    }
  }

  /// {@return a new virtual processor, which is given back with the machine}
  public KvmVcpu createVcpu(int id) {
    int fd =
        vm.ioctl(
            KvmLayout.KVM_CREATE_VCPU,
            MemorySegment.ofAddress(id),
            e -> KvmRefused.processor(e, id));
    Descriptor d = vm.kernel().own(fd, "KVM_CREATE_VCPU", "vCPU " + id);
    KvmVcpu v = KvmVcpu.of(id, d, shared);
    withMachine(v::close);
    return v;
  }

  /// {@return a device of the kernel, which is given back with the machine}
  KvmDevice createDevice(int type, String name) {
    KvmDevice d = KvmDevice.create(vm, type, name);
    withMachine(d::close);
    return d;
  }

  private void withMachine(Runnable close) {
    lock.lock();
    try {
      parts.add(close);
    } finally {
      lock.unlock();
    }
  }

  /// Sets the level of an interrupt of the in-kernel controllers by hand.
  ///
  /// On x86 a line leads to an input of the 8259s and the IOAPIC that {@link #createPcInterrupts} made, unless {@link #route} gave that
  /// interrupt a message.
  ///
  /// @param line as the architecture numbers them: on x86 an input of the IOAPIC, on Arm see {@link ArmGic#line}
  public void setLine(int line, boolean high) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.LINE.allocate(arena);
      KvmLayout.LINE_IRQ.set(s, line);
      KvmLayout.LINE_LEVEL.set(s, high ? 1 : 0);
      vm.ioctl(KvmLayout.KVM_IRQ_LINE, s, e -> KvmRefused.line(e, line));
    }
  }

  /// Leads some of the guest's interrupts to messages, all in one step: the kernel's table is replaced once. Interrupts not named stay as they
  /// are; connected eventfds follow at once.
  ///
  /// @param changes messages by global interrupt number
  /// @throws RouteNeedsDevice when the machine has an ITS and a message has no device id: the kernel would take it and never deliver
  /// @throws ErrnoException when there are more than the kernel has room for; the table is as before
  public void route(Map<Integer, GuestMsi> changes) {
    routes.put(changes);
  }

  /// {@return an interrupt's way in: an eventfd that the kernel takes}
  ///
  /// @throws ErrnoException when the process has too many open files
  // Closed by its owner, or here when it could not be connected.
  @Override
  public GuestIrq irq(int gsi) {
    EventFd event = EventFd.create(vm.kernel().calls(), "guest interrupt " + gsi);
    try {
      return new Input(event, connect(event, gsi));
    } catch (RuntimeException | Error e) {
      event.close();
      throw e;
    }
  }

  /// An eventfd of its own, connected.
  private record Input(EventFd event, Connection connection) implements GuestIrq {
    @Override
    public Trigger trigger() {
      return event;
    }

    @Override
    public boolean disconnect() {
      connection.close();
      return event.take() > 0;
    }

    @Override
    public void close() {
      try {
        connection.close();
      } finally {
        event.close();
      }
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

    /// Ends it; signals after this stay in the eventfd. The kernel has ended it already when the machine is closed.
    @Override
    public void close() {
      if (!ended && vm.isOpen()) {
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

  /// As {@link #connect}, for a level-triggered interrupt: it stays asserted until the guest has handled it, the second eventfd is signalled
  /// then, and whoever drives the line signals the first one again where it is still asserted.
  ///
  /// @param gsi one that leads to an input of a controller in the kernel; a message has no level
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
      vm.ioctl(KvmLayout.KVM_IRQFD, s, e -> KvmRefused.irqfd(e, event.descriptor().name(), gsi));
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
      vm.ioctl(KvmLayout.KVM_IOEVENTFD, s, e -> KvmRefused.ioeventfd(e, register));
    } finally {
      event.descriptor().release();
    }
  }

  /// Raises a message now.
  ///
  /// {@return whether the guest's controller took it; on x86 a message to a processor that is not there is taken by nobody}
  ///
  /// @throws ErrnoException with EBUSY before the guest has set its controller up
  public boolean signal(GuestMsi m) {
    MemorySegment s = MESSAGE.get();
    KvmLayout.MSI_ADDRESS_LO.set(s, m.address());
    KvmLayout.MSI_ADDRESS_HI.set(s, m.address() >>> Integer.SIZE);
    KvmLayout.MSI_DATA.set(s, m.data());
    KvmLayout.MSI_FLAGS.set(s, m.deviceId().isPresent() ? KvmLayout.MSI_VALID_DEVID : 0);
    KvmLayout.MSI_DEVID.set(s, m.deviceId().orElse(0));
    int answer = vm.tryIoctl(KvmLayout.KVM_SIGNAL_MSI, s);
    if (answer >= 0) {
      return answer > 0;
    }
    Errno e = Errno.in(answer);
    if (e.equals(Errno.EPERM)) {
      // KVM hands its count of takers over, and with none that is -1 (`kvm_irq_delivery_to_apic`).
      return false;
    }
    throw new ErrnoException(
        KvmLayout.KVM_SIGNAL_MSI.name(), vm.name(), e, KvmRefused.message(e, m));
  }

  /// Gives everything back. The threads of its processors must have ended.
  @Override
  public void close() {
    lock.lock();
    try {
      parts.close();
    } finally {
      lock.unlock();
    }
  }
}
