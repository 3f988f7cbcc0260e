package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.IrqInfo;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchIrqs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Functions of the running host taken from their drivers, in one container, with memory mapped and vectors enabled; all of it is given
/// back by {@link #close}, or before an exception leaves {@link #of}.
///
/// For one thread; {@link Assigned#counted} may be called from any.
public final class LinuxAssignment implements AutoCloseable {
  /// What the functions may reach: enough to show that memory can be mapped.
  private static final long WORK_BYTES = 0x1_0000;

  /// Below it lie what old devices and firmware think of as theirs.
  private static final long LOWEST_WORK = 0x10_0000;

  /// What is wanted.
  ///
  /// @param min the fewest vectors of a function that will do
  /// @param max the most vectors of a function
  /// @param unsafeInterrupts whether groups are taken whose functions could forge others' vectors
  /// @param takeFromDriver whether functions are taken that work for the host
  /// @param access which of the kernel's interfaces is used; empty for iommufd where the kernel has it with a file for each device
  public record Request(
      int min,
      int max,
      boolean unsafeInterrupts,
      boolean takeFromDriver,
      Optional<Access> access) {}

  /// One function with its vectors enabled.
  ///
  /// @param before the driver that had it
  /// @param vectors enabled, from 0 up
  public record Assigned(
      LinuxDevice device,
      Group group,
      IrqType type,
      Optional<String> before,
      List<EventFd> vectors) {
    public Assigned {
      vectors = List.copyOf(vectors);
    }

    /// {@return signals of a vector since this was last asked}
    public long counted(int vector) {
      return vectors.get(vector).take();
    }
  }

  private final Access access;
  private final Container container;
  private final AddressRange work;
  private final List<Assigned> functions;
  private final Rollback undo;

  private LinuxAssignment(
      Access access,
      Container container,
      AddressRange work,
      List<Assigned> functions,
      Rollback undo) {
    this.access = access;
    this.container = container;
    this.work = work;
    this.functions = List.copyOf(functions);
    this.undo = undo;
  }

  /// {@return the functions, assigned}
  ///
  /// @throws dev.doorbell.vfio.NoSuchFunction when the host has one not
  /// @throws NoPassthrough when this kernel has no IOMMU or no vfio-pci
  /// @throws DriverInUse when a function works for the host and may not be taken
  /// @throws dev.doorbell.vfio.NotViable when a mate of a function works for the host
  /// @throws ErrnoException when the kernel refuses
  public static LinuxAssignment of(LinuxOptions options, List<Sbdf> functions, Request request) {
    Rollback undo = new Rollback();
    try {
      return assign(options, functions, request, undo);
    } catch (RuntimeException | Error e) {
      undo.closeAfter(e);
      throw e;
    }
  }

  private static LinuxAssignment assign(
      LinuxOptions options, List<Sbdf> functions, Request request, Rollback undo) {
    TakenFunctions taken =
        TakenFunctions.of(
            options,
            functions,
            new TakenFunctions.Terms(
                request.unsafeInterrupts(), request.takeFromDriver(), request.access()),
            undo);
    AddressRange work = map(taken.container(), undo);
    List<Assigned> assigned = new ArrayList<>();
    for (DriverBinding b : taken.bound()) {
      assigned.add(open(taken.vfio(), b, request, undo));
    }
    return new LinuxAssignment(taken.access(), taken.container(), work, assigned, undo);
  }

  private static AddressRange map(Container container, Rollback rollback) {
    long granule = container.granule().bytes();
    long bytes = Math.ceilDiv(WORK_BYTES, granule) * granule;
    AddressRange iovas =
        container.iovaRanges().stream()
            .map(r -> start(r, granule))
            .filter(Optional::isPresent)
            .map(s -> AddressRange.ofSize(s.get(), bytes))
            .filter(w -> container.iovaRanges().stream().anyMatch(r -> r.contains(w)))
            .findFirst()
            .orElseThrow(() ->
                new IllegalStateException(
                    "no IOVA range of %s has room for 0x%x bytes"
                        .formatted(container.iovaRanges(), bytes)));
    DmaBuffer buffer = container.allocate(bytes);
    rollback.add(buffer::close);
    container.map(new Iova(iovas.start()), buffer, Protection.READ_WRITE);
    rollback.add(() -> container.unmap(iovas));
    return iovas;
  }

  private static Optional<Long> start(AddressRange range, long granule) {
    if (Long.compareUnsigned(range.last(), LOWEST_WORK) < 0) {
      return Optional.empty();
    }
    long at = Long.compareUnsigned(range.start(), LOWEST_WORK) < 0 ? LOWEST_WORK : range.start();
    return Optional.of(Math.ceilDiv(at, granule) * granule);
  }

  private static Assigned open(LinuxVfio vfio, DriverBinding b, Request request, Rollback undo) {
    Group group = vfio.group(b.function());
    LinuxDevice device = (LinuxDevice) group.open(b.function());
    undo.add(device::close);
    IrqInfo irqs = irqs(device);
    if (irqs.count() < request.min()) {
      throw new TooFewVectors(
          device.function().toString(), irqs.type().toString(), irqs.count(), request.min());
    }
    List<EventFd> triggers = new ArrayList<>();
    for (int v = 0; v < Math.min(irqs.count(), request.max()); v++) {
      EventFd e = EventFd.create(vfio.options().calls(), device.function() + " vector " + v);
      undo.add(e::close);
      triggers.add(e);
    }
    // After the eventfds, so that it is taken back before them: the kernel signals them until then.
    undo.add(device::disable);
    int enabled = device.enable(irqs.type(), request.min(), triggers);
    busMaster(device.config());
    return new Assigned(device, group, irqs.type(), b.before(), triggers.subList(0, enabled));
  }

  private static IrqInfo irqs(Device device) {
    List<IrqInfo> all = device.irqs();
    IrqInfo msix = all.get(IrqType.MSIX.ordinal());
    IrqInfo msi = all.get(IrqType.MSI.ordinal());
    if (msix.count() == 0 && msi.count() == 0) {
      throw new NoSuchIrqs(
          device.function(), IrqType.MSIX, Source.rule("Linux VFIO_DEVICE_GET_IRQ_INFO"));
    }
    return msix.count() > 0 ? msix : msi;
  }

  /// A message is a memory write: without this the function may send none.
  private static void busMaster(ConfigSpace config) {
    int at = (int) ConfigHeaderLayout.COMMAND.offset();
    long command =
        ConfigHeaderLayout.MEMORY_SPACE_ENABLE.with(
            ConfigHeaderLayout.BUS_MASTER_ENABLE.with(config.read16(at), 1), 1);
    config.write(at, (int) command, Short.BYTES);
  }

  public List<Assigned> functions() {
    return functions;
  }

  public Container container() {
    return container;
  }

  /// {@return which of the kernel's interfaces is used}
  public Access access() {
    return access;
  }

  /// {@return IOVAs at which the functions reach memory of this process, and nowhere else}
  public AddressRange work() {
    return work;
  }

  /// Takes vectors back, unmaps, closes every file and gives the functions back to their drivers. Everything is tried, whatever fails.
  ///
  /// @throws IllegalStateException when a step failed; each one's exception is suppressed in it
  @Override
  public void close() {
    undo.close();
  }
}
