import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.MemFd;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.linux.kvm.ArmCpu;
import dev.doorbell.linux.kvm.ArmGic;
import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.linux.kvm.KvmVcpu;
import dev.doorbell.linux.kvm.KvmVfio;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.linux.kvm.RouteNeedsDevice;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.linux.kvm.VcpuThread;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.Forwarding;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vmm.payload.LpiPayload;
import dev.doorbell.vmm.payload.SpiPayload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A guest without an operating system takes every interrupt: LPIs raised by writes to an eventfd or by an assigned edu, or those of a GICv2.
final class BareGuest {
  private static final long MEMORY = 0x4000_0000L;
  private static final long MEMORY_BYTES = 16 << 20;
  private static final long BAR = 0x1000_0000L;
  private static final int GSI = 40;
  private static final int FIRST_SHARED = 32;
  private static final int DEVICE_ID = 0x208;
  private static final int ROUNDS = 200;
  private static final int WAIT_MILLIS = 120_000;
  private static final ArmGic.V3Places GIC =
      new ArmGic.V3Places(new Ipa(0x0800_0000L), new Ipa(0x080a_0000L), new Ipa(0x0808_0000L));
  private static final GuestMsi MESSAGE = GuestMsi.of(GIC.doorbell(), 0).from(DEVICE_ID);

  private static final ArmGic.V2Places GIC_V2 = new ArmGic.V2Places(new Ipa(0x0800_0000L), new Ipa(0x0801_0000L));

  private final String what;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final MemorySegment memory;

  private BareGuest(String what, KvmVm vm, MemorySegment memory, byte[] image) {
    this.what = what;
    this.memory = memory;
    MemorySegment.copy(MemorySegment.ofArray(image), 0, memory, 0, image.length);
    vm.addMemory(0, AddressRange.ofSize(MEMORY, MEMORY_BYTES), memory);
  }

  /// With a GICv3 and its ITS.
  ///
  /// @param processors of them the last takes the interrupts
  private static BareGuest withIts(String what, KvmVm vm, MemorySegment memory, OptionalLong edu, int processors) {
    BareGuest g = new BareGuest(what, vm, memory, LpiPayload.image(new LpiPayload.Task(DEVICE_ID, ROUNDS, edu, processors - 1)));
    g.complete(vm, processors, () -> ArmGic.createV3(vm, GIC, 64));
    return g;
  }

  /// Makes the processors, of which the first runs, and then the controller.
  private void complete(KvmVm vm, int processors, Runnable controller) {
    for (int i = 0; i < processors; i++) {
      vcpus.add(vm.createVcpu(i));
      new ArmCpu(vm, vcpus.get(i)).init(i > 0);
    }
    controller.run();
    new ArmCpu(vm, vcpus.getFirst()).startAt(MEMORY, new ArmCpu.Argument(0));
  }

  /// Runs it to its end.
  ///
  /// @param ask what raises an interrupt when the guest asks for one
  private void run(Runnable ask) throws InterruptedException {
    StringBuffer told = new StringBuffer();
    long began = System.nanoTime();
    List<VcpuThread> threads = new ArrayList<>();
    try {
      for (KvmVcpu v : vcpus) {
        threads.add(VcpuThread.start(v, what, e -> handle(e, told, ask)));
      }
      Lab.check(threads.getLast().await(WAIT_MILLIS), what + ": the guest switches itself off");
    } finally {
      // A processor that waits for an interrupt is called off.
      threads.forEach(VcpuThread::close);
    }
    long millis = (System.nanoTime() - began) / 1_000_000;
    long taken = memory.get(ValueLayout.JAVA_LONG, LpiPayload.COUNT);
    Lab.check(taken == ROUNDS, "%s: the guest took %d of %d interrupts in %d ms".formatted(what, taken, ROUNDS, millis));
    // Others are called off, or end with the machine.
    String expected = "" + LpiPayload.READY + LpiPayload.DONE + new VcpuExit.SystemEvent(VcpuExit.SystemEvent.Kind.SHUTDOWN);
    Lab.check(vcpus.size() == 1 ? told.toString().equals(expected) : told.toString().startsWith(expected), "%s: it told %s".formatted(what, told));
  }

  private static boolean handle(VcpuExit exit, StringBuffer told, Runnable ask) {
    if (exit instanceof VcpuExit.Mmio m && m.write()) {
      if (m.value() == LpiPayload.ASK) {
        ask.run();
      } else {
        told.append((char) m.value());
      }
      return true;
    }
    told.append(exit);
    return false;
  }

  /// A machine with a GICv3 and its ITS; what writes to an eventfd raise.
  static void fromEventFd(int processors) throws Exception {
    try (KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
        MemFd memory = MemFd.create("guest", MEMORY_BYTES);
        EventFd event = EventFd.create("lpi")) {
      Lab.say("KVM makes: GICv3 with ITS %s, GICv2 %s".formatted(ArmGic.hasV3WithIts(vm), ArmGic.hasV2(vm)));
      BareGuest g = withIts("eventfd, processor %d of %d".formatted(processors, processors), vm, memory.memory(), OptionalLong.empty(), processors);
      Lab.refused("a message before the guest has set its ITS up", ErrnoException.class, () -> vm.signal(MESSAGE));
      Lab.refused("a route without a device", RouteNeedsDevice.class, () -> vm.route(Map.of(GSI, GuestMsi.of(GIC.doorbell(), 0))));
      vm.route(Map.of(GSI, MESSAGE));
      try (KvmVm.Connection c = vm.connect(event, GSI)) {
        g.run(event::signal);
      }
    }
  }

  /// A machine with a GICv2, on a host that has one: a shared interrupt, by an eventfd or by the line itself.
  static void withSharedInterrupt(int processors, boolean byLine) throws Exception {
    String what = "GICv2, processor %d of %d, %s".formatted(processors, processors, byLine ? "line" : "eventfd");
    try (KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
        MemFd memory = MemFd.create("guest", MEMORY_BYTES);
        EventFd event = EventFd.create("spi")) {
      Lab.check(ArmGic.hasV2(vm) && !ArmGic.hasV3WithIts(vm), what + ": KVM makes GICv2s here, and no ITS");
      BareGuest g = new BareGuest(what, vm, memory.memory(), SpiPayload.image(ROUNDS, processors - 1));
      g.complete(vm, processors, () -> ArmGic.createV2(vm, GIC_V2, 64));
      if (byLine) {
        int line = ArmGic.line(SpiPayload.INTID);
        g.run(() -> {
          vm.setLine(line, true);
          vm.setLine(line, false);
        });
        return;
      }
      // What KVM leads to shared interrupts at first: number 0 to the first of them.
      try (KvmVm.Connection c = vm.connect(event, SpiPayload.INTID - FIRST_SHARED)) {
        g.run(event::signal);
      }
    }
  }

  static void fromEdu(Access access, Sbdf f) throws IOException {
    String what = access + " edu " + f;
    LinuxOptions options = LinuxOptions.USUAL.with(access).withoutThread();
    Lab.guarded(
        what,
        () -> {
          try (DriverBinding bound = DriverBinding.toVfio(options, f);
              LinuxVfio vfio = LinuxVfio.open(options);
              Container c = vfio.open(ContainerOptions.USUAL)) {
            c.attach(vfio.group(f));
            try (DmaBuffer ram = c.allocate(MEMORY_BYTES);
                KvmVm vm = KvmVm.create(SystemCalls.ofProcess());
                LinuxDevice d = (LinuxDevice) vfio.group(f).open(f)) {
              c.map(new Iova(MEMORY), ram, Protection.READ_WRITE);
              guest(what, vm, d, ram.segment().orElseThrow());
              c.unmap(AddressRange.ofSize(MEMORY, MEMORY_BYTES));
            }
          }
        });
  }

  /// The function's registers are memory of the guest, and its vector leads to the guest's ITS.
  private static void guest(String what, KvmVm vm, LinuxDevice d, MemorySegment memory) throws Exception {
    BareGuest g = withIts(what, vm, memory, OptionalLong.of(BAR), 1);
    d.config().write(4, d.config().read16(4) | 6, 2);
    AddressRange offsets = d.regions().getFirst().mappable().getFirst();
    try (Arena arena = Arena.ofShared();
        EventFd own = EventFd.create("own");
        KvmVfio known = KvmVfio.of(vm)) {
      known.add(d.kvmFile());
      vm.addMemory(1, AddressRange.ofSize(BAR + offsets.start(), offsets.bytes()), d.map(RegionType.BAR0, offsets, arena));
      vm.route(Map.of(GSI, MESSAGE));
      d.enable(IrqType.MSI, 1, List.of(own));
      Footprint before = Footprint.now();
      try (Forwarding led = d.vector(0).forwardTo(vm, GSI)) {
        g.run(() -> {});
        Lab.check(own.take() == 0, what + ": no signal came to this process");
      }
      Footprint after = Footprint.now();
      Lab.check(after.equals(before), "%s: taken back, before %s, after %s".formatted(what, before, after));
      d.loopback(0);
      Lab.check(own.await(WAIT_MILLIS) == 1, what + ": the vector is this process's again");
      vm.removeMemory(1);
    }
  }
}
