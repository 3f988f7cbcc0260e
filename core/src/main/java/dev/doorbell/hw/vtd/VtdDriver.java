package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Rollback;
import dev.doorbell.hw.vtd.FunctionTables.FunctionEntry;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.irq.InterruptRemapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A remapping unit of VT-d, in legacy mode with second-stage tables, or in scalable mode with those of either stage; queued invalidation, and
/// interrupt remapping where the unit has it and it is wanted. Functions are blocked from the start.
///
/// **Threads.** Safe for use from many. One lock a unit for its context tables, taken before an address space's and the queue's.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.2, 3.4.3, 6.5.2, 11.4.
public final class VtdDriver implements Iommu {
  private static final int PREFERRED_LEVELS = 4;

  /// Bits of a domain id where CAP_REG.ND is 0; each one more adds two.
  private static final int FEWEST_DOMAIN_BITS = 4;

  private static final int OUTPUT_BITS = 52;
  private static final int SOURCE_BITS = 16;

  private final VtdHardware hardware;
  private final VtdPort port;
  private final VtdSettings settings;
  private final long cap;
  private final long ecap;
  private final QueueDriver queue;
  private final FunctionTables functions;
  private final TableEntries stage;
  private final Optional<InterruptRemapper> remapper;
  private final int passing;
  private final StreamAttachments<VtdDriver, FunctionEntry, VtdAddressSpace> attachments =
      new StreamAttachments<>(this, new Entries());

  private VtdDriver(VtdHardware hardware, VtdSettings settings, Rollback rollback) {
    this.hardware = hardware;
    this.settings = settings;
    port = new VtdPort(hardware.id(), hardware.registers());
    cap = port.get(CAP_REG);
    ecap = port.get(ECAP_REG);
    require(QI.isSet(ecap), "ECAP_REG", ecap, "without queued invalidation (QI)");
    boolean scalable = settings.translation() != VtdTranslation.LEGACY;
    stage =
        settings.translation() == VtdTranslation.FIRST_STAGE
            ? TableEntries.FIRST
            : TableEntries.SECOND;
    if (scalable) {
      requireScalable();
    }
    require(levels() != 0, "CAP_REG", cap, "without tables of 3, 4 or 5 levels (SAGAW)");
    port.command(TE, false, TES);
    port.command(IRE, false, IRES);
    functions =
        scalable
            ? new PasidTables(hardware.memory(), hardware.frames())
            : new ContextTables(hardware.memory(), hardware.frames());
    rollback.add(() -> {
      port.command(TE, false, TES);
      functions.free();
    });
    hardware.memory().publish();
    port.set(RTADDR_REG, functions.root());
    port.command(SRTP, true, RTPS);
    queue = QueueDriver.start(port, hardware.memory(), hardware.frames(), scalable, rollback);
    queue.allContexts();
    if (scalable) {
      queue.allPasids();
    }
    queue.allPages();
    passing = settings.tags().take(hardware.id());
    rollback.add(() -> settings.tags().giveBack(passing));
    remapper =
        settings.remapsInterrupts() && IR.isSet(ecap)
            ? Optional.of(startRemapping(rollback))
            : Optional.empty();
    port.command(TE, true, TES);
  }

  /// {@return the driver of a unit that translates}
  ///
  /// @throws VtdException when the hardware lacks what is needed, or does not do what it is told; nothing is kept then but what the unit cannot be
  ///     made to let go of
  public static VtdDriver open(VtdHardware hardware, VtdSettings settings) {
    try (Rollback rollback = new Rollback()) {
      VtdDriver driver = new VtdDriver(hardware, settings, rollback);
      rollback.commit();
      return driver;
    }
  }

  private void require(boolean has, String register, long value, String lacks) {
    if (!has) {
      throw VtdException.unsupported(hardware.id(), register, value, lacks);
    }
  }

  private void requireScalable() {
    requireStage(SMTS.isSet(ecap), "without scalable mode (SMTS)");
    if (stage == TableEntries.FIRST) {
      requireStage(FSTS.isSet(ecap), "without first-stage translation (FSTS)");
    } else {
      requireStage(SSTS.isSet(ecap), "without second-stage translation (SSTS)");
    }
  }

  private void requireStage(boolean has, String lacks) {
    if (!has) {
      throw VtdException.withoutStage(hardware.id(), ecap, lacks);
    }
  }

  private InterruptRemapper startRemapping(Rollback rollback) {
    require(
        !settings.extended() || EIM.isSet(ecap),
        "ECAP_REG",
        ecap,
        "without extended interrupt mode (EIM), which x2APIC needs");
    return IrteTable.start(
        hardware,
        port,
        queue,
        new IrteTable.Modes(settings.extended(), keepsAbsent(), PI.isSet(cap)),
        rollback);
  }

  /// {@return what remaps interrupts; empty where the unit lets them pass}
  public Optional<InterruptRemapper> remapper() {
    return remapper;
  }

  @Override
  public String id() {
    return hardware.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        "VT-d", List.of(Granule.K4), inputBits(levels()), OUTPUT_BITS, SOURCE_BITS, false, true);
  }

  private int inputBits(int levels) {
    return Math.min(stage.inputBits(levels), MGAW.getInt(cap) + 1);
  }

  /// {@return levels of new tables: 4 where the unit has such, else what it has; 0 for none}
  private int levels() {
    if (stage == TableEntries.FIRST) {
      return PREFERRED_LEVELS;
    }
    int most = 0;
    for (int levels = 3; levels <= 5; levels++) {
      if ((SAGAW.get(cap) >>> levels - SAGAW_FEWEST_LEVELS & 1) != 0
          && (most == 0 || levels <= PREFERRED_LEVELS)) {
        most = levels;
      }
    }
    return most;
  }

  /// {@return whether the unit keeps what is not present}
  boolean keepsAbsent() {
    return CM.isSet(cap);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!granule.equals(Granule.K4)) {
      throw new IllegalArgumentException(
          "%s has pages of %s, not of %s".formatted(id(), Granule.K4, granule));
    }
    int domain = settings.tags().take(id());
    try {
      StageTable table =
          new StageTable(hardware.memory(), hardware.frames(), stage, levels(), largest());
      return new VtdAddressSpace(settings.tags(), table, inputBits(levels()), OUTPUT_BITS, domain);
    } catch (RuntimeException failed) {
      settings.tags().giveBack(domain);
      throw failed;
    }
  }

  /// {@return the highest level that may hold a page}
  private int largest() {
    if (stage == TableEntries.FIRST) {
      return FS1GP.isSet(cap)
          ? PagingLayout.LARGEST_PAGE_LEVEL
          : PagingLayout.LARGEST_PAGE_LEVEL - 1;
    }
    return 1 + Integer.numberOfTrailingZeros(~SSLPS.getInt(cap));
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    VtdAddressSpace s = usable(space);
    checkSource(streamId);
    attachments.attach(streamId, s);
  }

  private VtdAddressSpace usable(AddressSpace space) {
    if (!(space instanceof VtdAddressSpace s)) {
      throw new IllegalArgumentException("%s cannot use %s".formatted(id(), space));
    }
    boolean walks =
        s.stage() == stage
            && (stage == TableEntries.FIRST
                || (SAGAW.get(cap) >>> s.levels() - SAGAW_FEWEST_LEVELS & 1) != 0);
    boolean numbered = s.domain() < 1 << FEWEST_DOMAIN_BITS + 2 * ND.getInt(cap);
    boolean large = (s.pageSizes() & ~pageSizes()) == 0;
    if (!walks || !numbered || !large || s.aperture().last() >>> MGAW.getInt(cap) + 1 != 0) {
      throw new IllegalArgumentException(
          "%s cannot use %s: %d levels, CAP_REG is 0x%x".formatted(id(), s, s.levels(), cap));
    }
    return s;
  }

  private long pageSizes() {
    long sizes = 0;
    for (int i = 0; i <= SSLPS.width(); i++) {
      boolean has =
          stage == TableEntries.FIRST
              ? i < largest()
              : i == 0 || (SSLPS.get(cap) >>> i - 1 & 1) != 0;
      if (has) {
        sizes |= 1L << PagingLayout.PAGE_BITS + i * PagingLayout.INDEX_BITS;
      }
    }
    return sizes;
  }

  @Override
  public void block(int streamId) {
    checkSource(streamId);
    attachments.detach(streamId, FunctionEntry.ABSENT);
  }

  /// Lets a function's accesses pass untranslated.
  ///
  /// @throws VtdException when the unit has no pass-through
  @Override
  public void bypass(int streamId) {
    require(PT.isSet(ecap), "ECAP_REG", ecap, "without pass-through (PT)");
    checkSource(streamId);
    attachments.detach(streamId, functions.passing(passing, levels()));
  }

  private void checkSource(int streamId) {
    if (streamId < 0 || streamId >>> SOURCE_BITS != 0) {
      throw new IllegalArgumentException(
          "source-id 0x%x does not fit the %d bits of %s".formatted(streamId, SOURCE_BITS, id()));
    }
  }

  /// A function's entry is its context entry, or in scalable mode that of its PASID.
  private final class Entries
      implements StreamAttachments.Hardware<FunctionEntry, VtdAddressSpace> {
    @Override
    public FunctionEntry entry(int streamId) {
      return functions.get(streamId);
    }

    @Override
    public FunctionEntry leadingTo(VtdAddressSpace space) {
      return functions.translated(space);
    }

    /// The quadwords of an entry cannot change at once, so that one in use is first taken away and forgotten by the unit.
    @Override
    public void write(int streamId, FunctionEntry next, Orders orders) {
      FunctionEntry now = functions.get(streamId);
      if (now.isPresent()) {
        functions.remove(streamId);
        functions.forget(queue, streamId, now, orders);
      }
      if (next.isPresent()) {
        functions.put(streamId, next);
        if (keepsAbsent()) {
          functions.appeared(queue, streamId, next, orders);
        }
      }
    }

    @Override
    public void forget(VtdAddressSpace space) {
      functions.forget(queue, space);
    }
  }

  /// Makes the unit forget translations of a range.
  void invalidate(VtdAddressSpace space, AddressRange range) {
    long pages = range.bytes() >>> PagingLayout.PAGE_BITS;
    int mask =
        Long.SIZE
            - Long.numberOfLeadingZeros((range.start() ^ range.last()) >>> PagingLayout.PAGE_BITS);
    boolean tooWide = mask > MAMV.getInt(cap) || pages <= 0;
    long run = 1L << mask + PagingLayout.PAGE_BITS;
    boolean all = !PSI.isSet(cap) || tooWide;
    if (stage == TableEntries.FIRST) {
      if (all) {
        queue.pasidPages(space.domain(), PasidTables.RID_PASID);
      } else {
        queue.pasidRun(space.domain(), PasidTables.RID_PASID, range.start() & -run, mask);
      }
    } else if (all) {
      queue.domain(space.domain());
    } else {
      queue.run(space.domain(), range.start() & -run, mask);
    }
  }

  /// Takes what the unit recorded.
  ///
  /// {@return the records, oldest first as far as the registers tell}
  public List<VtdFaultRecord> takeFaults() {
    return attachments.locked(() -> {
      List<VtdFaultRecord> out = new ArrayList<>();
      int count = NFR.getInt(cap) + 1;
      int first = FRI.getInt(port.get(FSTS_REG));
      long base = FRO.get(cap) * OFFSET_UNIT;
      for (int i = 0; i < count; i++) {
        long at = base + (long) ((first + i) % count) * OFFSET_UNIT;
        long high = port.getAt(at + Long.BYTES);
        if (F.isSet(high)) {
          out.add(VtdFaultRecord.of(port.getAt(at), high));
          port.setAt(at + Long.BYTES, F.mask());
        }
      }
      port.set(FSTS_REG, PFO.mask());
      return out;
    });
  }
}
