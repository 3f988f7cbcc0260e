package dev.doorbell.hw.pamu;

import dev.doorbell.address.Granule;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.WindowLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Drives a PAMU, all units of it: they are given the same tables. Every LIODN is blocked until it is attached. Safe for use from many threads.
///
/// Chips whose tables are snooped drop what they keep of an entry when it changes. Nothing tells that this one snoops: whatever it keeps is dropped by writing the base registers
/// anew, which needs the cache of the operation mapping table to be on (erratum A-005982).
///
/// **Source**: Linux 6.12 `drivers/iommu/fsl_pamu.c` (`setup_one_pamu`, `pamu_config_ppaace`), Linux 5.10 for sub-windows; Freescale's libos, `lib/pamu.c` (`pamu_hw_init`).
public final class PamuDriver implements Iommu {
  private final String id;
  private final List<RegisterBus> units;
  private final PaactWriter tables;
  private final OmtWriter mappings;
  private final int liodns;
  private final int mostWindows;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, PamuAddressSpace> attached = new HashMap<>();
  private final BitSet passing = new BitSet();

  private PamuDriver(
      String id, List<RegisterBus> units, PaactWriter tables, OmtWriter mappings, int liodns) {
    this.id = id;
    this.units = units;
    this.tables = tables;
    this.mappings = mappings;
    this.liodns = liodns;
    this.mostWindows =
        units.stream()
            .mapToInt(u -> PamuRegisters.MWCE.getInt(u.read32(PamuRegisters.PC3.offset())))
            .map(code -> Math.min(PaaceLayout.count(code), PamuAddressSpace.MOST_WINDOWS))
            .min()
            .orElse(PamuAddressSpace.MOST_WINDOWS);
  }

  /// {@return a driver of a PAMU that it has turned on, with every LIODN blocked}
  ///
  /// @param units the registers of each unit, 4 KiB
  /// @param liodns LIODNs that the tables have entries for, from 0 on
  /// @throws OutOfFramesException when there is no memory for tables; nothing is kept then
  public static PamuDriver open(
      String id, List<RegisterBus> units, PhysicalMemory memory, Frames frames, int liodns) {
    PaactWriter tables = new PaactWriter(memory, frames, liodns);
    OmtWriter mappings;
    try {
      mappings = new OmtWriter(memory, frames);
    } catch (OutOfFramesException e) {
      tables.free(frames);
      throw e;
    }
    PamuDriver driver = new PamuDriver(id, List.copyOf(units), tables, mappings, liodns);
    units.forEach(driver::start);
    return driver;
  }

  /// The gate is closed meanwhile: a unit that is off lets everything pass.
  private void start(RegisterBus unit) {
    unit.write32(
        PamuRegisters.PC.offset(), (int) (PamuRegisters.PGC.place(1) | PamuRegisters.OCE.place(1)));
    range(unit, PamuRegisters.PPBAH.offset(), tables.primary(), tables.primaryBytes());
    range(unit, PamuRegisters.SPBAH.offset(), tables.secondary(), tables.secondaryBytes());
    range(unit, PamuRegisters.OBAH.offset(), mappings.start(), mappings.bytes());
    clear(unit, PamuRegisters.AVS1, PamuRegisters.AV_MASK);
    clear(unit, PamuRegisters.POES1, PamuRegisters.POED.mask());
    clear(unit, PamuRegisters.PICS, -1);
    unit.write32(
        PamuRegisters.PC.offset(),
        (int)
            (PamuRegisters.PE.place(1)
                | PamuRegisters.OCE.place(1)
                | PamuRegisters.PPCC.place(1)
                | PamuRegisters.SPCC.place(1)));
  }

  /// Clears what is set, and writes a one nowhere else: some chips set a bit by that (erratum PAMU-A001).
  private static void clear(RegisterBus unit, Register register, long mask) {
    unit.write32(register.offset(), unit.read32(register.offset()) & (int) mask);
  }

  /// Base and limit, upper halves first, four registers from one on.
  private static void range(RegisterBus unit, long first, long start, long bytes) {
    long at = first;
    for (long address : new long[] {start, start + bytes}) {
      unit.write32(at, (int) PaaceLayout.high(address));
      unit.write32(at + Integer.BYTES, (int) address);
      at += 2 * Integer.BYTES;
    }
  }

  /// Has the units drop what they keep of entries that changed, and takes that for the end of accesses in flight.
  private void settle() {
    for (RegisterBus unit : units) {
      unit.write32(PamuRegisters.PPBAL.offset(), (int) tables.primary());
      unit.write32(PamuRegisters.SPBAL.offset(), (int) tables.secondary());
    }
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        "PAMU",
        List.of(Granule.K4),
        PamuAddressSpace.BITS,
        PamuAddressSpace.BITS,
        Short.SIZE,
        true,
        true);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!granule.equals(Granule.K4)) {
      throw new IllegalArgumentException(
          "%s has granules of 4K and not of %s".formatted(id, granule));
    }
    return new PamuAddressSpace(this);
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    requireLiodn(streamId);
    if (!(space instanceof PamuAddressSpace own) || own.driver() != this) {
      throw new IllegalArgumentException(space + " was not made by " + id);
    }
    locked(() -> {
      PamuAddressSpace before = attached.get(streamId);
      if (before == own) {
        return;
      }
      tables.clear(streamId, this::settle);
      WindowLayout layout = own.layout();
      if (!tables.fill(streamId, layout)) {
        restore(streamId, before);
        throw full(layout);
      }
      attached.put(streamId, own);
      passing.clear(streamId);
    });
  }

  private void restore(int liodn, @Nullable PamuAddressSpace before) {
    if (passing.get(liodn)) {
      tables.bypass(liodn, 1L << PamuAddressSpace.BITS);
    } else if (before != null && !tables.fill(liodn, before.layout())) {
      throw new IllegalStateException("the windows of LIODN " + liodn + " are lost");
    }
  }

  /// Sub-windows need a run of secondary entries, and the SPAACT has none that is long enough.
  private static OutOfFramesException full(WindowLayout layout) {
    return new OutOfFramesException((layout.count() - 1L) * PaaceLayout.BYTES, 0);
  }

  @Override
  public void block(int streamId) {
    requireLiodn(streamId);
    locked(() -> {
      tables.clear(streamId, this::settle);
      attached.remove(streamId);
      passing.clear(streamId);
    });
  }

  @Override
  public void bypass(int streamId) {
    requireLiodn(streamId);
    locked(() -> {
      tables.clear(streamId, this::settle);
      attached.remove(streamId);
      tables.bypass(streamId, 1L << PamuAddressSpace.BITS);
      passing.set(streamId);
    });
  }

  /// Sets what a LIODN's operations become on the interconnect. They stay as they are until then. A LIODN that is in use is refused for a moment.
  ///
  /// @param liodn 0 up to those that the driver was opened with
  /// @param mapping an indexed one names an entry of this driver's table: see {@link OperationMapping}
  /// @throws IllegalArgumentException when there is no such LIODN
  public void operations(int liodn, OperationMapping mapping) {
    requireLiodn(liodn);
    locked(() -> {
      PamuAddressSpace space = attached.get(liodn);
      tables.clear(liodn, this::settle);
      tables.operations(liodn, mapping);
      restore(liodn, space);
    });
  }

  /// {@return sub-windows that a LIODN can have in every unit}
  int mostWindows() {
    return mostWindows;
  }

  private void requireLiodn(int liodn) {
    if (liodn < 0 || liodn >= liodns) {
      throw new IllegalArgumentException(
          "%s has LIODNs 0 to %d and not %d".formatted(id, liodns - 1, liodn));
    }
  }

  /// Runs something that reads or changes mappings.
  void locked(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /// Cuts the windows of every LIODN of an address space anew: all of them, or, when it fails, none. The lock is held.
  void rewrite(PamuAddressSpace space, WindowLayout layout) {
    List<Integer> done = new ArrayList<>();
    for (int liodn : List.copyOf(attached.keySet())) {
      if (attached.get(liodn) == space) {
        tables.clear(liodn, this::settle);
        done.add(liodn);
        if (!tables.fill(liodn, layout)) {
          done.forEach(d -> tables.clear(d, this::settle));
          done.forEach(d -> restore(d, space));
          throw full(layout);
        }
      }
    }
  }

  void close(PamuAddressSpace space) {
    locked(() -> {
      if (attached.containsValue(space)) {
        throw new IllegalStateException(
            "an address space of %s still has LIODNs; block them first".formatted(id));
      }
    });
  }
}
