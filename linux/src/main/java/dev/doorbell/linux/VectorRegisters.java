package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.FileTrouble;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Reads what the kernel programmed a function's vectors with: configuration space through sysfs, the MSI-X table and its pending bits by
/// a mapping of their BAR. Nothing is written.
///
/// Where the function is open here the BAR is mapped through its own file; else through sysfs, which the kernel allows where no driver
/// claims the BAR for itself alone (`iomem=relaxed`, or CONFIG_IO_STRICT_DEVMEM off). A BAR that does not answer is not mapped.
///
/// **Source**: Linux `Documentation/PCI/sysfs-pci.rst`; `VFIO_REGION_INFO_CAP_MSIX_MAPPABLE`
public final class VectorRegisters {
  /// The largest page of any kernel: a mapping begins at a multiple of it.
  private static final long PAGE = 0x1_0000;

  private final LinuxOptions options;
  private final HostFiles files;
  private final Sbdf function;
  private final Optional<LinuxDevice> open;

  private VectorRegisters(LinuxOptions options, Sbdf function, Optional<LinuxDevice> open) {
    this.options = options;
    this.files = new HostFiles(options.root());
    this.function = function;
    this.open = open;
  }

  /// {@return the registers of any function, through sysfs}
  public static VectorRegisters of(LinuxOptions options, Sbdf function) {
    return new VectorRegisters(options, function, Optional.empty());
  }

  /// {@return the registers of a function that is open here}
  public static VectorRegisters of(LinuxOptions options, LinuxDevice device) {
    return new VectorRegisters(options, device.function(), Optional.of(device));
  }

  /// {@return how many vectors the function advertises, of MSI-X or of MSI, whichever are more; empty where that cannot be seen, and where it
  /// has neither}
  OptionalInt advertised() {
    Optional<PciFunction> seen = function().thing();
    if (seen.isEmpty() || seen.get().msix().isNotVisible() || seen.get().msi().isNotVisible()) {
      return OptionalInt.empty();
    }
    IntStream msix = seen.get().msix().thing().stream().mapToInt(MsixCapability::vectors);
    IntStream msi = seen.get().msi().thing().stream().mapToInt(MsiCapability::size);
    return IntStream.concat(msix, msi).max();
  }

  /// {@return the function as its configuration space in sysfs shows it; not visible where that cannot be read}
  public Seen<PciFunction> function() {
    String path = HostFiles.device(function) + "/config";
    try {
      byte[] bytes = Files.readAllBytes(files.resolve(path));
      return new Seen.There<>(PciFunction.of(function, ConfigImage.of(bytes, path), path));
    } catch (IOException e) {
      return new Seen.NotVisible<>("/%s cannot be read: %s".formatted(path, FileTrouble.of(e)));
    }
  }

  /// {@return vectors from 0 up, as many as asked for and there are}
  ///
  /// MSI-X when it is on, MSI when that is; when neither is, the one that the function has, MSI-X preferred.
  public Seen<List<ProgrammedVector>> read(int count) {
    return switch (function()) {
      case Seen.There<PciFunction>(PciFunction f) -> read(f, count);
      case Seen.NotThere<PciFunction> n -> new Seen.NotThere<>();
      case Seen.NotVisible<PciFunction>(String why) -> new Seen.NotVisible<>(why);
    };
  }

  private Seen<List<ProgrammedVector>> read(PciFunction f, int count) {
    Optional<MsixCapability> msix = f.msix().thing();
    Optional<MsiCapability> msi = f.msi().thing();
    boolean useMsi = msi.isPresent() && (msix.isEmpty() || msi.get().isEnabled());
    if (useMsi) {
      return new Seen.There<>(vectors(msi.get(), count, f));
    }
    if (msix.isPresent()) {
      return msix(f, msix.get(), count);
    }
    boolean hidden = f.msix().isNotVisible() || f.msi().isNotVisible();
    return hidden
        ? new Seen.NotVisible<>(
            "/%s/config shows %d bytes to this user, and the capabilities lie beyond"
                .formatted(HostFiles.device(function), f.config().size()))
        : new Seen.NotThere<>();
  }

  private List<ProgrammedVector> vectors(MsiCapability m, int count, PciFunction f) {
    Source from =
        Source.at(
            "/%s/config".formatted(HostFiles.device(f.sbdf())), Integer.toUnsignedLong(m.offset()));
    List<ProgrammedVector> out = new ArrayList<>();
    for (int v = 0; v < Math.min(count, m.isEnabled() ? m.granted() : m.size()); v++) {
      out.add(vector(m, IrqType.MSI, v, from));
    }
    return out;
  }

  private static ProgrammedVector vector(MessageTable t, IrqType type, int v, Source from) {
    boolean maskable = t.isMaskable();
    return new ProgrammedVector(
        type,
        v,
        t.address(v),
        t.data(v),
        t.isEnabled(),
        maskable ? Optional.of(t.isMasked(v)) : Optional.empty(),
        maskable ? Optional.of(t.isPending(v)) : Optional.empty(),
        from);
  }

  private Seen<List<ProgrammedVector>> msix(PciFunction f, MsixCapability m, int count) {
    Optional<String> silent = MemoryDecoding.silent(files, f);
    if (silent.isPresent()) {
      return new Seen.NotVisible<>(
          "the MSI-X table in BAR %d cannot be read: %s".formatted(m.tableBar(), silent.get()));
    }
    try (Arena arena = Arena.ofConfined()) {
      RegisterBus table = bar(arena, m.tableBar(), m.tableOffset(), m.tableBytes());
      RegisterBus pending = bar(arena, m.pbaBar(), m.pbaOffset(), m.pbaBytes());
      MessageTable t = m.table(table, pending);
      Source from =
          Source.at(
              "/%s/resource%d".formatted(HostFiles.device(f.sbdf()), m.tableBar()),
              m.tableOffset());
      List<ProgrammedVector> out = new ArrayList<>();
      for (int v = 0; v < Math.min(count, m.vectors()); v++) {
        ProgrammedVector one = vector(t, IrqType.MSIX, v, from);
        out.add(m.isFunctionMasked() ? masked(one) : one);
      }
      return new Seen.There<>(out);
    } catch (ErrnoException e) {
      return new Seen.NotVisible<>(
          "the MSI-X table in BAR %d cannot be mapped: %s".formatted(m.tableBar(), e.getMessage()));
    }
  }

  private static ProgrammedVector masked(ProgrammedVector v) {
    return new ProgrammedVector(
        v.type(),
        v.number(),
        v.address(),
        v.data(),
        v.enabled(),
        Optional.of(true),
        v.pending(),
        v.source());
  }

  /// Part of a BAR, whose offsets stay those of the BAR.
  private RegisterBus bar(Arena arena, int bar, long offset, long bytes) {
    long start = offset / PAGE * PAGE;
    long length = offset + bytes - start;
    if (open.isPresent()) {
      DeviceRegion r = open.get().bare(RegionType.ofBar(bar)).orElseThrow();
      AddressRange part = AddressRange.ofSize(start, length);
      return new Window(r.map(arena, part, VectorRegisters::notMappable), start);
    }
    String path = files.resolve(HostFiles.device(function) + "/resource" + bar).toString();
    Kernel kernel = new Kernel(options.calls());
    try (Descriptor d = kernel.open(path, KernelConstants.O_RDWR, e -> refused(e, path))) {
      MemorySegment m =
          kernel.map(
              arena,
              new Kernel.FilePart(d.number(), start, length),
              KernelConstants.MAP_SHARED,
              path,
              e -> refused(e, path));
      return new Window(m, start);
    }
  }

  private static Because notMappable(Errno e) {
    return e.equals(Errno.EINVAL)
        ? new Because(
            "this kernel does not let the MSI-X table be mapped",
            "use a kernel from 4.16 on (VFIO_REGION_INFO_CAP_MSIX_MAPPABLE)")
        : Because.general(e);
  }

  private static Because refused(Errno e, String path) {
    return switch (e.name()) {
      case "EINVAL", "EPERM", "EBUSY" ->
          new Because(
              "the kernel keeps BARs to their drivers",
              "boot with iomem=relaxed to look at %s while a driver has it".formatted(path));
      case "EACCES" -> new Because("only root may map a BAR", "run as root");
      default -> Because.general(e);
    };
  }

  /// A mapped part of a BAR, read with the processor's own loads.
  private record Window(MemorySegment memory, long start) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      long at = offset - start;
      return switch (bytes) {
        case Byte.BYTES -> Byte.toUnsignedLong(memory.get(JAVA_BYTE, at));
        case Short.BYTES -> Short.toUnsignedLong(memory.get(JAVA_SHORT_UNALIGNED, at));
        case Integer.BYTES -> Integer.toUnsignedLong(memory.get(JAVA_INT_UNALIGNED, at));
        default -> memory.get(JAVA_LONG_UNALIGNED, at);
      };
    }

    @Override
    public void write(long offset, long value, int bytes) {
      throw new UnsupportedOperationException("this window is for looking");
    }
  }
}
