package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.MsiSlots.Slot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One IOVA space: the mappings of its owner, the regions that its groups reserve, and the MSI window with its doorbells.
/// May span several IOMMUs of one kind; mappings and window count once.
///
/// **Threads.** Safe for use from many. One lock per domain, taken after a group's; never two domains' at once. Refusals leave
/// the state, software's and hardware's, as before.
public final class Domain implements AutoCloseable {
  private final String name;
  private final DomainPolicy policy;
  private final Iommu first;
  private final AddressSpace space;
  private final ReentrantLock lock = new ReentrantLock();
  private final Mappings mappings = new Mappings();
  private final Set<IommuGroup> groups = new LinkedHashSet<>();
  private final DirectMappings direct;
  private @Nullable MsiSlots window;
  private boolean closed;

  private Domain(String name, DomainPolicy policy, Iommu first, AddressSpace space) {
    this.name = name;
    this.policy = policy;
    this.first = first;
    this.space = space;
    this.direct = new DirectMappings(policy, space);
  }

  /// {@return an empty domain with translation tables of an IOMMU's kind}
  ///
  /// @param name for messages, such as `domain 1`
  /// @throws IllegalArgumentException when the IOMMU has not this granule
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  public static Domain create(String name, DomainPolicy policy, Iommu iommu, Granule granule) {
    return new Domain(name, policy, iommu, iommu.createAddressSpace(granule));
  }

  public String name() {
    return name;
  }

  public DomainPolicy policy() {
    return policy;
  }

  public Granule granule() {
    return space.granule();
  }

  /// {@return a bit set of mapping sizes: bit n for 2^n bytes}
  public long pageSizes() {
    return space.pageSizes();
  }

  /// {@return IOVAs that the tables can translate, reserved ones included}
  public AddressRange aperture() {
    return space.aperture();
  }

  /// Maps IOVAs to memory, all of it or, when it fails, nothing.
  ///
  /// @param bytes above 0; a multiple of the granule, as are `iova` and `pa`
  /// @throws Misaligned when one is not
  /// @throws OutsideAperture when the tables cannot translate all of it (R12)
  /// @throws MappingOverlap when part of it is mapped
  /// @throws MsiWindowConflict when it meets the MSI window (R9)
  /// @throws ReservedRegionConflict when it meets a region that an attached group reserves (R13)
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  public Mapping map(Iova iova, Pa pa, long bytes, Protection protection) {
    requireGranules(iova, pa, bytes);
    lock.lock();
    try {
      requireOpen();
      Mapping mapping = new Mapping(inAperture(iova, bytes), pa, protection);
      requireFree(mapping.iovas());
      space.map(iova, pa, bytes, protection);
      mappings.add(mapping);
      return mapping;
    } finally {
      lock.unlock();
    }
  }

  /// Unmaps every mapping that lies in a range, as VFIO type1 v2: holes are passed over, and so is the MSI window (R19). On
  /// return no IOMMU holds a translation of them.
  ///
  /// {@return bytes that were mapped; 0 when none was}
  ///
  /// @throws UnmapSplitsMapping when a mapping lies partly in the range; nothing is unmapped then
  public long unmap(AddressRange range) {
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      requireOpen();
      List<Mapping> gone = mappings.within(name, range);
      long bytes = 0;
      for (Mapping m : gone) {
        Iova start = new Iova(m.iovas().start());
        space.unmap(start, m.iovas().bytes());
        rollback.add(() -> space.map(start, m.pa(), m.iovas().bytes(), m.protection()));
        bytes += m.iovas().bytes();
      }
      gone.forEach(mappings::remove);
      rollback.commit();
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /// {@return where an IOVA leads: a mapping, a direct region or a doorbell}
  public Optional<Pa> translate(Iova iova) {
    return space.translate(iova);
  }

  /// {@return the mappings of the owner, ascending}
  public List<Mapping> mappings() {
    lock.lock();
    try {
      return mappings.all();
    } finally {
      lock.unlock();
    }
  }

  /// {@return the attached groups}
  public List<IommuGroup> groups() {
    lock.lock();
    try {
      return List.copyOf(groups);
    } finally {
      lock.unlock();
    }
  }

  /// Registers the range that doorbells are mapped in; once per domain, before or after groups are attached (R1).
  ///
  /// A range that holds no whole granule is legal and has no slot.
  ///
  /// @throws MsiWindowAlreadySet when the domain has one
  /// @throws OutsideAperture when it reaches beyond the aperture
  /// @throws MsiWindowConflict when it meets a mapping or a region that an attached group reserves
  public void reserveMsiWindow(AddressRange range) {
    lock.lock();
    try {
      requireOpen();
      String attempt = "cannot reserve MSI window %s on %s".formatted(range, name);
      if (window != null) {
        throw new MsiWindowAlreadySet(name, range, window.range());
      }
      if (!aperture().contains(range)) {
        throw new OutsideAperture(name, "MSI window " + range, aperture(), apertureSource());
      }
      mappings
          .meeting(range)
          .ifPresent(m -> {
            throw new MsiWindowConflict(
                attempt,
                range,
                m.toString(),
                Source.rule("mappings of " + name),
                "unmap it first, or choose a window outside " + m.iovas());
          });
      for (IommuGroup g : groups) {
        RegionConflicts.refuseWindow(attempt, range, policy, g);
      }
      window = new MsiSlots(range, granule());
    } finally {
      lock.unlock();
    }
  }

  /// Removes the MSI window; the domain may be given another one.
  ///
  /// @throws MsiWindowInUse when a doorbell is mapped or claimed in it
  /// @throws IllegalStateException when there is none
  public void removeMsiWindow() {
    lock.lock();
    try {
      MsiSlots w = window;
      if (w == null) {
        throw new IllegalStateException(name + " has no MSI window to remove");
      }
      if (!w.used().isEmpty()) {
        throw new MsiWindowInUse(
            name, w.range(), w.used().stream().map(s -> s.first.name()).toList());
      }
      window = null;
    } finally {
      lock.unlock();
    }
  }

  public Optional<MsiWindow> msiWindow() {
    lock.lock();
    try {
      return Optional.ofNullable(window).map(MsiSlots::snapshot);
    } finally {
      lock.unlock();
    }
  }

  /// {@return the window that some doorbells need, known before any memory is mapped (R3)}
  public MsiRequirement msiRequirement(Collection<DoorbellFrame> frames) {
    return MsiRequirement.of(granule(), frames);
  }

  /// Makes sure that doorbells will find room in the window, before anything is done about them.
  ///
  /// @param frames doorbells of functions that are to be attached; those that share a page count once
  /// @throws MsiWindowExhausted when they will not
  public void requireRoom(Collection<DoorbellFrame> frames) {
    MsiRequirement needed = msiRequirement(frames);
    List<String> names = needed.doorbells().stream().map(DoorbellFrame::name).toList();
    if (names.isEmpty()) {
      return;
    }
    MsiWindow window =
        msiWindow().orElseThrow(() -> MsiWindowExhausted.noWindow(name, granule(), names));
    if (needed.pages() > window.free()) {
      throw MsiWindowExhausted.tooSmall(name, window, names);
    }
  }

  /// {@return what an owner must leave alone: the regions of attached groups, and the MSI window where it really is (R29)}
  public List<ReservedRegion> reservedRegions() {
    lock.lock();
    try {
      List<ReservedRegion> out = new ArrayList<>();
      for (IommuGroup g : groups) {
        for (ReservedRegion r : g.reserved()) {
          if (r.kind() != ReservedRegion.Kind.SW_MSI && !out.contains(r)) {
            out.add(r);
          }
        }
      }
      if (window != null) {
        out.add(
            new ReservedRegion(
                window.range(),
                ReservedRegion.Kind.SW_MSI,
                Source.rule("MSI window registered on " + name)));
      }
      out.sort((a, b) -> a.range().compareTo(b.range()));
      return List.copyOf(out);
    } finally {
      lock.unlock();
    }
  }

  /// {@return IOVAs that an owner can map, ascending: the aperture without reserved regions and without the MSI window}
  public List<AddressRange> iovaRanges() {
    return Ranges.subtract(
        aperture(),
        reservedRegions().stream()
            .filter(r -> policy.excludes(r.kind()) || r.kind() == ReservedRegion.Kind.SW_MSI)
            .map(ReservedRegion::range)
            .toList());
  }

  /// Lets a group's accesses be translated by this domain. A group of another domain is moved; its live vectors stay
  /// deliverable (R8, see {@link DoorbellHolder}).
  ///
  /// @throws GroupUnavailable when it is attached here already
  /// @throws NotIsolated when its functions could forge others' vectors and the policy forbids it (R21)
  /// @throws IncompatibleIommu when one of its IOMMUs cannot use the tables
  /// @throws ReservedRegionConflict when a region that it reserves meets a live mapping (R14)
  /// @throws MsiWindowConflict when a region that it reserves meets the MSI window (R11)
  /// @throws OutsideAperture when a region to be identity-mapped reaches beyond the aperture
  /// @throws MsiWindowExhausted when its live vectors need doorbells and the window has no room
  /// @throws VectorsLive when its live vectors would have to be held back and a function cannot do so
  public void attach(IommuGroup group) {
    group.lock().lock();
    try {
      new GroupMove(group, this).attach();
    } finally {
      group.lock().unlock();
    }
  }

  /// Blocks a group's accesses and lets go of it.
  ///
  /// @throws GroupUnavailable when it is not attached here
  /// @throws VectorsLive when one of its functions has live vectors (R20)
  public void detach(IommuGroup group) {
    group.lock().lock();
    try {
      new GroupMove(group, this).detach();
    } finally {
      group.lock().unlock();
    }
  }

  /// Gives the tables back, mappings included.
  ///
  /// @throws DomainInUse when a group is attached
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (!groups.isEmpty()) {
        throw new DomainInUse(name, groups.stream().map(IommuGroup::name).toList());
      }
      space.close();
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  AddressSpace space() {
    return space;
  }

  /// Refuses streams whose IOMMU cannot use this domain's tables.
  void checkUsable(IommuGroup group, Collection<IommuGroup.Stream> streams) {
    for (IommuGroup.Stream s : streams) {
      IommuCapabilities c = s.iommu().capabilities();
      IommuCapabilities mine = first.capabilities();
      String why = null;
      if (!c.kind().equals(mine.kind())) {
        why = "is of kind " + c.kind() + ", the domain's tables are for " + mine.kind();
      } else if (!c.granules().contains(granule())) {
        why = "has no granule of " + granule();
      } else if (c.inputBits() < mine.inputBits() || c.outputBits() < mine.outputBits()) {
        why =
            "translates %d to %d bits, the domain %d to %d"
                .formatted(c.inputBits(), c.outputBits(), mine.inputBits(), mine.outputBits());
      }
      if (why != null) {
        throw new IncompatibleIommu(name, group, s.iommu(), why);
      }
    }
  }

  /// Takes a group in, its regions checked against what is mapped. Writes nothing to hardware.
  void admit(IommuGroup group) {
    lock.lock();
    try {
      requireOpen();
      RegionConflicts.refuseGroup(this, mappings, window, group);
      groups.add(group);
    } finally {
      lock.unlock();
    }
  }

  void mapDirect(IommuGroup group) {
    lock.lock();
    try {
      direct.cover(group);
    } finally {
      lock.unlock();
    }
  }

  /// Lets a group go, and unmaps the direct regions that only it had.
  void dismiss(IommuGroup group) {
    lock.lock();
    try {
      groups.remove(group);
      try {
        direct.keepOnly(groups);
      } catch (RuntimeException | Error e) {
        groups.add(group);
        throw e;
      }
    } finally {
      lock.unlock();
    }
  }

  List<DoorbellLease> claim(IommuGroup group, List<DoorbellFrame> frames) {
    List<DoorbellFrame> translated =
        frames.stream().filter(f -> !group.bypassesTranslation(f)).toList();
    translated.forEach(this::requireContained);
    lock.lock();
    try {
      if (!translated.isEmpty() && window == null) {
        throw MsiWindowExhausted.noWindow(
            name,
            granule(),
            MsiRequirement.of(granule(), translated).doorbells().stream()
                .map(DoorbellFrame::name)
                .toList());
      }
      List<Slot> slots = window == null ? List.of() : window.claim(name, translated);
      List<DoorbellLease> out = new ArrayList<>(frames.size());
      int next = 0;
      for (DoorbellFrame f : frames) {
        out.add(
            group.bypassesTranslation(f)
                ? DoorbellLease.untranslated(f)
                : DoorbellLease.of(f, this, slots.get(next++)));
      }
      return out;
    } finally {
      lock.unlock();
    }
  }

  /// {@return a lease at an IOVA that a function is already programmed with; empty when the window does not allow it}
  Optional<DoorbellLease> claimAt(IommuGroup group, DoorbellFrame frame, Iova iova) {
    if (group.bypassesTranslation(frame)) {
      return iova.value() == frame.doorbell().value()
          ? Optional.of(DoorbellLease.untranslated(frame))
          : Optional.empty();
    }
    if (granule().offset(iova.value()) != granule().offset(frame.doorbell().value())) {
      return Optional.empty();
    }
    requireContained(frame);
    lock.lock();
    try {
      return Optional.ofNullable(window)
          .flatMap(w -> w.claimAt(frame, new Iova(granule().alignDown(iova.value()))))
          .map(s -> DoorbellLease.of(frame, this, s));
    } finally {
      lock.unlock();
    }
  }

  void mapDoorbell(Slot slot) {
    lock.lock();
    try {
      if (!slot.mapped) {
        space.map(slot.iova, slot.page, granule().bytes(), Protection.DOORBELL);
        slot.mapped = true;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Unmaps a doorbell that no more than some leases share.
  void unmapDoorbell(Slot slot, long leases) {
    lock.lock();
    try {
      if (slot.leases <= leases && slot.mapped) {
        space.unmap(slot.iova, granule().bytes());
        slot.mapped = false;
      }
    } finally {
      lock.unlock();
    }
  }

  void releaseDoorbell(DoorbellLease lease, Slot slot) {
    lock.lock();
    try {
      unmapDoorbell(slot, 1);
      lease.markReleased();
      slots().drop(slot);
    } finally {
      lock.unlock();
    }
  }

  private MsiSlots slots() {
    if (window == null) {
      throw new IllegalStateException(name + " lost its MSI window while a doorbell was claimed");
    }
    return window;
  }

  private void requireContained(DoorbellFrame frame) {
    AddressRange page = MsiRequirement.page(granule(), frame);
    if (!policy.unsafeInterrupts() && !frame.frame().contains(page)) {
      throw new DoorbellExposesNeighbours(name, frame, page, granule());
    }
  }

  private void requireGranules(Iova iova, Pa pa, long bytes) {
    Granule g = granule();
    if (bytes == 0
        || !g.isAligned(bytes)
        || !g.isAligned(iova.value())
        || !g.isAligned(pa.value())) {
      throw new Misaligned(
          name, "mapping of 0x%x bytes from IOVA %s to PA %s".formatted(bytes, iova, pa), g);
    }
  }

  private AddressRange inAperture(Iova iova, long bytes) {
    long last = iova.value() + (bytes - 1);
    String what = "mapping of 0x%x bytes at IOVA %s".formatted(bytes, iova);
    if (Long.compareUnsigned(last, iova.value()) < 0) {
      throw new OutsideAperture(name, what, aperture(), apertureSource());
    }
    AddressRange range = new AddressRange(iova.value(), last);
    if (!aperture().contains(range)) {
      throw new OutsideAperture(name, what, aperture(), apertureSource());
    }
    return range;
  }

  private void requireFree(AddressRange range) {
    mappings
        .meeting(range)
        .ifPresent(m -> {
          throw new MappingOverlap(name, range, m.toString());
        });
    if (window != null && window.range().overlaps(range)) {
      throw new MsiWindowConflict(
          "cannot map %s in %s".formatted(range, name),
          window.range(),
          "mapping " + range,
          Source.rule("MSI window registered on " + name),
          "map outside the window, or reserve the window elsewhere");
    }
    for (IommuGroup g : groups) {
      RegionConflicts.refuseMapping(name, range, policy, g);
    }
  }

  private Source apertureSource() {
    return Source.rule("translation tables of " + first.id());
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
