package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.Because;
import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.Ioctl;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.KernelConstants;
import dev.doorbell.linux.LinuxContainer;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.linux.kvm.X86Cpu;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What calls of the kernel cost from Java; `kernel-calls.c` has the same loops. KVM's are of an x86 machine with one processor that never runs.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class KernelCallsBenchmark {
  private static final int GSI = 24;
  private static final GuestMsi MESSAGE = GuestMsi.of(0xfee0_0000L, 0x41);
  private static final AddressRange TASK_STATE = AddressRange.ofSize(0xfffb_d000L, 0x3000);

  /// An eventfd by itself.
  @State(Scope.Thread)
  public static class Counter {
    private final EventFd event = EventFd.create("bench");

    @TearDown
    public void close() {
      event.close();
    }
  }

  /// `/dev/kvm`.
  @State(Scope.Thread)
  public static class Kvm {
    private static final Ioctl VERSION = Ioctl.io("KVM_GET_API_VERSION", 0xae, 0);
    private final Descriptor kvm =
        new Kernel(SystemCalls.ofProcess())
            .open("/dev/kvm", KernelConstants.O_RDWR, Because::general);

    @TearDown
    public void close() {
      kvm.close();
    }
  }

  /// A machine whose interrupt an eventfd raises.
  @State(Scope.Thread)
  public static class Machine {
    private final EventFd event = EventFd.create("bench");
    private final KvmVm vm = KvmVm.create(SystemCalls.ofProcess());

    /// Connects both.
    @Setup
    public void connect() {
      vm.createPcInterrupts(TASK_STATE);
      new X86Cpu(vm.createVcpu(0)).enableLocalApic();
      vm.route(Map.of(GSI, MESSAGE));
      vm.connect(event, GSI);
    }

    @TearDown
    public void close() {
      vm.close();
      event.close();
    }
  }

  /// A container with a group of the host's, and a page.
  @State(Scope.Thread)
  public static class Mapping {
    private static final long AT = 0x10_0000;
    private final LinuxVfio vfio = LinuxVfio.open(LinuxOptions.USUAL.withoutThread());
    private final LinuxContainer container = vfio.open(ContainerOptions.USUAL);
    private @Nullable DmaBuffer page;
    private AddressRange iovas = AddressRange.ofSize(AT, 1);

    /// Takes the group in.
    @Setup
    public void attach() {
      int group = KernelCalls.group();
      container.attach(
          vfio.groups().stream().filter(g -> g.id() == group).findFirst().orElseThrow());
      DmaBuffer one = container.allocate(1);
      page = one;
      iovas = AddressRange.ofSize(AT, one.bytes());
    }

    @TearDown
    public void close() {
      container.close();
      Objects.requireNonNull(page).close();
      vfio.close();
    }
  }

  /// {@return bytes that were mapped and unmapped: a page}
  @Benchmark
  public long dmaMap(Mapping m) {
    m.container.map(new Iova(Mapping.AT), Objects.requireNonNull(m.page), Protection.READ_WRITE);
    return m.container.unmap(m.iovas);
  }

  /// {@return what was counted: a write and a read}
  @Benchmark
  public long eventfd(Counter c) {
    c.event.signal();
    return c.event.take();
  }

  /// A write that raises a guest's interrupt.
  @Benchmark
  public void irqfd(Machine m) {
    m.event.signal();
  }

  /// {@return whether the guest's controller took a message}
  @Benchmark
  public boolean signal(Machine m) {
    return m.vm.signal(MESSAGE);
  }

  /// {@return the version: the shortest request there is}
  @Benchmark
  public int version(Kvm k) {
    return k.kvm.ioctl(Kvm.VERSION, MemorySegment.NULL);
  }
}
