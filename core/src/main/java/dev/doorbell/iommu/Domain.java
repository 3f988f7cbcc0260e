package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

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
  private final MsiDoorbells doorbells;
  private boolean closed;

  private Domain(String name, DomainPolicy policy, Iommu first, AddressSpace space) {
    this.name = name;
    this.policy = policy;
    this.first = first;
    this.space = space;
    this.direct = new DirectMappings(policy, space);
    this.doorbells = new MsiDoorbells(this, lock);
  }

  /// {@return an empty domain with translation tables of an IOMMU's kind}
  /// @param name for messages, such as `domain 1`
  /// @throws GranuleNotSupported when the IOMMU has not this granule
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  public static Domain create(String name, DomainPolicy policy, Iommu iommu, Granule granule) {
    return create(name, policy, iommu, granule, List.of());
  }

  /// {@return an empty domain that can map some IOVAs}
  ///
  /// @param wanted empty for what the IOMMU has usually; where windows are to be chosen (POWER) they are made for these
  /// @throws OutsideAperture when the IOMMU cannot translate all of them
  public static Domain create(
      String name, DomainPolicy policy, Iommu iommu, Granule granule, List<AddressRange> wanted) {
    GranuleNotSupported.check(name, iommu, granule);
    Domain d = new Domain(name, policy, iommu, iommu.createAddressSpace(granule, wanted));
    try (Rollback rollback = new Rollback()) {
      rollback.add(d::close);
      wanted.forEach(r -> OutsideAperture.check(d, "wanted IOVAs " + r, r, d.apertureSource()));
      rollback.commit();
    }
    return d;
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

  /// {@return IOVAs that the tables can translate, reserved ones included: from the first to the last}
  public AddressRange aperture() {
    return space.aperture();
  }

  /// {@return the windows that the aperture consists of, ascending; mostly one}
  List<AddressRange> iovas() {
    return space.iovas();
  }

  /// {@return what a doorbell's page near an IOVA must start at a multiple of: the granule, but for tables with few windows of one size}
  public long placing(long iova) {
    return space.placing(iova);
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
    Misaligned.check(name, granule(), iova, pa, bytes);
    lock.lock();
    try {
      requireOpen();
      Mapping mapping = new Mapping(OutsideAperture.check(this, iova, bytes), pa, protection);
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
      doorbells
          .window()
          .ifPresent(w -> {
            throw new MsiWindowAlreadySet(name, range, w.range());
          });
      OutsideAperture.check(this, "MSI window " + range, range, apertureSource());
      RegionConflicts.refuseWindow(name, attempt, range, mappings);
      for (IommuGroup g : groups) {
        RegionConflicts.refuseWindow(attempt, range, policy, g);
      }
      doorbells.setWindow(range);
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
      doorbells.removeWindow();
    } finally {
      lock.unlock();
    }
  }

  public Optional<MsiWindow> msiWindow() {
    lock.lock();
    try {
      return doorbells.window();
    } finally {
      lock.unlock();
    }
  }

  /// {@return the window that some doorbells need, known before any memory is mapped (R3)} Where pages must lie apart, it is what they need in the window
  /// that is there, or, when there is none, in one where Linux has it, beside what is mapped now.
  public MsiRequirement msiRequirement(Collection<DoorbellFrame> frames) {
    long start = msiWindow().map(w -> w.range().start()).orElse(MsiRequirement.USUAL_START);
    return MsiRequirement.of(granule(), frames, space.placing(start));
  }

  /// Makes sure that doorbells will find room in the window, before anything is done about them.
  ///
  /// @param frames doorbells of functions that are to be attached; those that share a page count once
  /// @throws MsiWindowExhausted when they will not
  public void requireRoom(Collection<DoorbellFrame> frames) {
    doorbells.requireRoom(frames);
  }

  /// {@return what an owner must leave alone: the regions of attached groups, and the MSI window where it really is (R29)}
  public List<ReservedRegion> reservedRegions() {
    lock.lock();
    try {
      return RegionConflicts.all(name, groups, doorbells.window());
    } finally {
      lock.unlock();
    }
  }

  /// {@return IOVAs that an owner can map, ascending: the aperture without reserved regions and without the MSI window}
  public List<AddressRange> iovaRanges() {
    return Ranges.subtract(
        space.iovas(),
        reservedRegions().stream()
            .filter(r -> policy.excludes(r.kind()) || r.kind() == ReservedRegion.Kind.SW_MSI)
            .map(ReservedRegion::range)
            .toList());
  }

  /// Lets a group's accesses be translated by this domain. One of another domain is moved; its live vectors stay (R8, {@link DoorbellHolder}).
  ///
  /// @throws GroupUnavailable when it is attached here already
  /// @throws StreamIdOutOfRange when an IOMMU has no place for one of its streams
  /// @throws StreamIdShared when a function of another group has one of its streams
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

  /// {@return the IOMMU whose kind the tables are for}
  Iommu first() {
    return first;
  }

  /// Takes a group in, its regions checked against what is mapped. Writes nothing to hardware.
  void admit(IommuGroup group) {
    lock.lock();
    try {
      requireOpen();
      RegionConflicts.refuseGroup(this, mappings, group);
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

  /// {@return whether accesses of a group reach an address here because a region of it is identity-mapped}
  boolean identityMaps(IommuGroup group, long address) {
    return direct.reaches(group, address);
  }

  MsiDoorbells doorbells() {
    return doorbells;
  }

  private void requireFree(AddressRange range) {
    mappings
        .meeting(range)
        .ifPresent(m -> {
          throw new MappingOverlap(name, range, m.toString());
        });
    doorbells
        .window()
        .filter(w -> w.range().overlaps(range))
        .ifPresent(w -> {
          throw RegionConflicts.underWindow(name, range, w);
        });
    for (IommuGroup g : groups) {
      RegionConflicts.refuseMapping(name, range, policy, g);
    }
  }

  Source apertureSource() {
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
