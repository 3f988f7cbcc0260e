package dev.doorbell.vmm;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.linux.kvm.ArmCpu;
import dev.doorbell.linux.kvm.ArmGic;
import dev.doorbell.linux.kvm.KvmVcpu;
import dev.doorbell.linux.kvm.KvmVfio;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.linux.kvm.VcpuThread;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.DmaBuffer;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/// A guest with one function of the host. Made, run to its end, and closed.
public final class VirtualMachine implements AutoCloseable {
  /// Where the guest finds its function.
  public static final Sbdf FUNCTION = Sbdf.parse("00:01.0");

  /// Bytes of memory that a guest can have at most: what lies above begins where some hosts' guest-physical addresses end.
  public static final long MOST_MEMORY = 0x20_0000_0000L;

  private final Rollback parts = new Rollback();
  private final KvmVcpu vcpu;
  private final GuestBus bus = new GuestBus();
  private final Pl011 console;
  private final GuestFunction function;
  private volatile VcpuExit end = new VcpuExit.Stopped();

  /// What a guest is made of.
  ///
  /// @param kernelName for messages
  /// @param kernel an arm64 Image
  /// @param initrd empty for none
  /// @param memory bytes of memory, whole pieces of 2 MiB
  public record Guest(
      String kernelName,
      MemorySegment kernel,
      MemorySegment initrd,
      String commandLine,
      long memory) {}

  /// Makes a machine.
  ///
  /// @param container whose functions' DMA reaches the guest's memory; a group is attached
  /// @param device of the container
  /// @param out takes what the guest prints
  /// @throws NotAnImage when the kernel is none
  /// @throws GuestTooSmall when the memory does not hold what belongs there
  /// @throws dev.doorbell.linux.ErrnoException when the kernel has no KVM, or not for this
  public VirtualMachine(
      SystemCalls calls, Guest guest, Container container, LinuxDevice device, IntConsumer out) {
    AddressRange memory = AddressRange.ofSize(GuestMap.MEMORY.value(), guest.memory());
    KernelImage image = KernelImage.of(guest.kernelName(), guest.kernel());
    KernelImage.Plan plan = image.place(memory, guest.initrd().byteSize());
    try {
      KvmVm vm = KvmVm.create(calls);
      parts.add(vm::close);
      DmaBuffer ram = container.allocate(guest.memory());
      parts.add(ram::close);
      MemorySegment bytes = ram.segment().orElseThrow();
      load(bytes, guest, plan);
      ram.publish();
      vm.addMemory(0, memory, bytes);
      vcpu = vm.createVcpu(0);
      ArmCpu cpu = new ArmCpu(vm, vcpu);
      cpu.init(false);
      ArmGic.createV3(vm, GuestMap.GIC, GuestMap.INTERRUPTS);
      console = new Pl011(out, high -> vm.setLine(ArmGic.line(GuestMap.CONSOLE_INTID), high));
      bus.add(GuestMap.CONSOLE, console);
      container.map(new Iova(GuestMap.MEMORY.value()), ram, Protection.READ_WRITE);
      parts.add(() -> container.unmap(memory));
      KvmVfio known = KvmVfio.of(vm);
      parts.add(known::close);
      known.add(device.kvmFile());
      GuestFunction.Surroundings around =
          new GuestFunction.Surroundings(
              GuestMemory.of(vm), GuestMessages.of(vm), n -> tell(out, n));
      function = new GuestFunction(device, around, FUNCTION);
      parts.add(function::close);
      bus.add(GuestMap.ECAM, new Ecam(FUNCTION, function.config()));
      bus.add(function);
      Ipa entry = GuestMap.MEMORY.plus(plan.entry());
      cpu.startAt(entry.value(), new ArmCpu.Argument(GuestMap.MEMORY.plus(plan.tree()).value()));
    } catch (RuntimeException | Error e) {
      parts.closeAfter(e);
      throw e;
    }
  }

  /// Looks at a guest and at the host's KVM without touching anything.
  ///
  /// @throws NotAnImage when the kernel is none
  /// @throws GuestTooSmall when the memory does not hold what belongs there
  /// @throws NoGuestInterrupts when the host's KVM has not what a guest needs
  /// @throws dev.doorbell.linux.ErrnoException when there is no KVM
  static void check(SystemCalls calls, Guest guest) {
    KernelImage.of(guest.kernelName(), guest.kernel())
        .place(
            AddressRange.ofSize(GuestMap.MEMORY.value(), guest.memory()),
            guest.initrd().byteSize());
    try (KvmVm vm = KvmVm.create(calls)) {
      if (!ArmGic.hasV3WithIts(vm)) {
        throw new NoGuestInterrupts(ArmGic.hasV2(vm));
      }
    }
  }

  /// Says something to the user among what the guest prints, on a line of its own.
  private static void tell(IntConsumer out, String sentence) {
    for (byte b : "\r\ndoorbell: %s\r\n".formatted(sentence).getBytes(UTF_8)) {
      out.accept(Byte.toUnsignedInt(b));
    }
  }

  private static void load(MemorySegment ram, Guest guest, KernelImage.Plan plan) {
    put(ram, plan.entry(), guest.kernel());
    plan.initrd().ifPresent(i -> put(ram, i.start(), guest.initrd()));
    GuestTree.Choice choice =
        new GuestTree.Choice(
            AddressRange.ofSize(GuestMap.MEMORY.value(), guest.memory()),
            plan.initrd()
                .map(i -> AddressRange.ofSize(GuestMap.MEMORY.plus(i.start()).value(), i.bytes())),
            guest.commandLine());
    put(ram, plan.tree(), MemorySegment.ofArray(GuestTree.of(choice).finish()));
  }

  private static void put(MemorySegment ram, long at, MemorySegment bytes) {
    MemorySegment.copy(bytes, 0, ram, at, bytes.byteSize());
  }

  /// Runs it on a thread of its own until the guest ends itself, or time is over.
  ///
  /// {@return why it ended; {@link VcpuExit.Stopped} when time was over}
  ///
  /// @param millis 0 for ever
  /// @throws IllegalStateException when an access of the guest met an error, with that as cause
  public VcpuExit run(long millis) throws InterruptedException {
    try (VcpuThread t = VcpuThread.start(vcpu, "vcpu 0", this::handle)) {
      boolean ended = t.await(millis);
      return ended ? end : new VcpuExit.Stopped();
    }
  }

  private boolean handle(VcpuExit exit) {
    if (exit instanceof VcpuExit.Mmio m) {
      bus.access(vcpu, m);
      return true;
    }
    end = exit;
    return false;
  }

  /// Ends {@link #run}. Called from any thread.
  public void stop() {
    vcpu.stop();
  }

  /// Hands a character to the guest's console. Called from any thread.
  public void type(int character) {
    console.type(character);
  }

  /// {@return vectors of the function that lead to the guest now}
  public int vectorsLed() {
    return function.led();
  }

  /// {@return accesses of the guest that nothing answered}
  public long unclaimed() {
    return bus.unclaimed();
  }

  /// Gives everything back, last first. It must not run.
  @Override
  public void close() {
    parts.close();
  }
}
