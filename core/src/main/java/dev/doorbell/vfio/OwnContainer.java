package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.Mapping;
import dev.doorbell.iommu.MsiRequirement;
import dev.doorbell.iommu.MsiWindow;
import dev.doorbell.iommu.MsiWindowAlreadySet;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A container of Doorbell's own stack: one domain, made with the first group and given back with the last, as VFIO type1 does.
final class OwnContainer implements Container {
  private static final long LARGEST_ALIGNMENT = 0x20_0000;

  private final OwnVfio vfio;
  private final String name;
  private final ContainerOptions options;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<OwnGroup> groups = new ArrayList<>();
  private final TreeMap<Iova, MachineBuffer> mapped = new TreeMap<>();
  private final PlacedMappings placed = new PlacedMappings();
  private @Nullable Domain domain;
  private @Nullable AddressRange registered;
  private boolean closed;

  OwnContainer(OwnVfio vfio, String name, ContainerOptions options) {
    this.vfio = vfio;
    this.name = name;
    this.options = options;
  }

  String name() {
    return name;
  }

  @Override
  public void attach(Group wanted) {
    OwnGroup group = own(wanted);
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      requireOpen();
      group.viability().blockers().stream()
          .findFirst()
          .ifPresent(b -> {
            throw new NotViable(group.name(), b);
          });
      group.take(this);
      rollback.add(group::letGo);
      Domain d = domain;
      if (d == null) {
        d = create(group);
        rollback.add(d::close);
        if (registered != null) {
          d.reserveMsiWindow(registered);
        }
      }
      Domain to = d;
      to.attach(group.group());
      rollback.add(() -> to.detach(group.group()));
      // Messages that meet no translation need no window (x86).
      int pages = bound(to, List.of(group)).pages();
      if (options.automaticWindow() && to.msiWindow().isEmpty() && pages > 0) {
        to.reserveMsiWindow(WindowPlacement.place(name, to, vfio.host().pciWindows(), pages));
      }
      rollback.commit();
      domain = to;
      groups.add(group);
    } finally {
      lock.unlock();
    }
  }

  private Domain create(OwnGroup group) {
    Iommu iommu = OwnGroup.iommu(group.group());
    Granule granule = options.granule().orElse(iommu.capabilities().granules().getFirst());
    DomainPolicy policy =
        options.unsafeInterrupts() ? DomainPolicy.TRUSTED_USER : DomainPolicy.USER;
    return Domain.create(name, policy, iommu, granule, options.iovas());
  }

  @Override
  public void detach(Group wanted) {
    OwnGroup group = own(wanted);
    lock.lock();
    try {
      Domain d = domain;
      if (d == null || !groups.contains(group)) {
        throw new NotAttached("detach from " + name, group.name(), "attach it before");
      }
      // First, so that nobody opens a function meanwhile.
      group.letGo();
      try {
        d.detach(group.group());
      } catch (RuntimeException | Error e) {
        group.take(this);
        throw e;
      }
      groups.remove(group);
      if (groups.isEmpty()) {
        dissolve(d);
      }
    } finally {
      lock.unlock();
    }
  }

  /// As VFIO type1: with the last group the mappings go too. A registered window stays registered.
  private void dissolve(Domain d) {
    d.close();
    mapped.values().forEach(MachineBuffer::unmapped);
    mapped.clear();
    placed.clear();
    domain = null;
  }

  @Override
  public List<Group> groups() {
    lock.lock();
    try {
      return List.copyOf(groups);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DmaBuffer allocate(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a buffer of " + bytes + " bytes is none");
    }
    long granule = bufferGranule().bytes();
    long whole = Math.ceilDiv(bytes, granule) * granule;
    long alignment =
        Math.clamp(Long.highestOneBit(whole), granule, Math.max(granule, LARGEST_ALIGNMENT));
    return MachineBuffer.allocate(vfio.host(), whole, alignment);
  }

  private Granule bufferGranule() {
    lock.lock();
    try {
      Domain d = domain;
      return d != null ? d.granule() : options.granule().orElseGet(vfio::usualGranule);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DmaBuffer wrap(MemorySegment memory) {
    throw new NotMachineMemory(
        "a segment of 0x%x bytes of this process".formatted(memory.byteSize()), vfio.host().name());
  }

  @Override
  public void map(Iova iova, DmaBuffer buffer, Protection protection) {
    if (!(buffer instanceof MachineBuffer b)) {
      throw new NotMachineMemory("a foreign buffer", vfio.host().name());
    }
    lock.lock();
    try {
      Domain d = attached("map memory");
      b.mapped();
      try {
        d.map(iova, b.pa(), b.bytes(), protection);
      } catch (RuntimeException | Error e) {
        b.unmapped();
        throw e;
      }
      mapped.put(iova, b);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DmaMapping map(DmaBuffer buffer, Protection protection) {
    lock.lock();
    try {
      Domain d = attached("map memory");
      List<AddressRange> taken = d.mappings().stream().map(Mapping::iovas).toList();
      Iova at = MappingPlacement.lowest(name, d.iovaRanges(), taken, d.granule(), buffer.bytes());
      map(at, buffer, protection);
      return placed.add(new DmaMapping(this, at, buffer));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(AddressRange iovas) {
    lock.lock();
    try {
      long bytes = attached("unmap memory").unmap(iovas);
      Collection<MachineBuffer> gone =
          mapped.subMap(new Iova(iovas.start()), true, new Iova(iovas.last()), true).values();
      gone.forEach(MachineBuffer::unmapped);
      gone.clear();
      placed.remove(iovas);
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(DmaMapping mapping) {
    lock.lock();
    try {
      return placed.has(mapping) ? unmap(mapping.iovas()) : 0;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Granule granule() {
    lock.lock();
    try {
      return options.granule().orElseGet(() -> attached("tell the granule").granule());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<AddressRange> iovaRanges() {
    lock.lock();
    try {
      return attached("tell the IOVA ranges").iovaRanges();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<ReservedRegion> reserved() {
    lock.lock();
    try {
      Domain d = domain;
      return d == null ? List.of() : d.reservedRegions();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MsiWindowNeed msiWindowNeed() {
    lock.lock();
    try {
      Domain d = attached("tell the MSI window that is needed");
      Set<DoorbellFrame> frames = new LinkedHashSet<>();
      for (OwnGroup g : groups) {
        for (HostFunction f : g.hostFunctions()) {
          f.msiDomain().route().doorbells().stream()
              .filter(frame -> !g.group().bypassesTranslation(frame))
              .forEach(frames::add);
        }
      }
      return told(d.msiRequirement(frames));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MsiWindowNeed msiWindowBound() {
    lock.lock();
    try {
      return told(bound(attached("tell the MSI window that is needed"), groups));
    } finally {
      lock.unlock();
    }
  }

  private MsiRequirement bound(Domain d, List<OwnGroup> of) {
    return d.msiRequirement(
        vfio.host().doorbells().stream()
            .filter(f -> of.stream().anyMatch(g -> !g.group().bypassesTranslation(f)))
            .toList());
  }

  private static MsiWindowNeed told(MsiRequirement r) {
    return new MsiWindowNeed(
        r.sharing().stream().map(DoorbellFrame::name).toList(),
        r.pages(),
        r.bytes(),
        r.alignmentOrder(),
        r.exposingNeighbours().stream().map(DoorbellFrame::name).toList());
  }

  @Override
  public void reserveMsiWindow(AddressRange range) {
    lock.lock();
    try {
      requireOpen();
      Domain d = domain;
      if (d != null) {
        d.reserveMsiWindow(range);
      } else if (registered != null) {
        throw new MsiWindowAlreadySet(name, range, registered);
      }
      registered = range;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void removeMsiWindow() {
    lock.lock();
    try {
      Domain d = domain;
      if (d != null) {
        d.removeMsiWindow();
      } else if (registered == null) {
        throw new IllegalStateException(name + " has no MSI window to remove");
      }
      registered = null;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<AddressRange> msiWindow() {
    lock.lock();
    try {
      Domain d = domain;
      return d != null ? d.msiWindow().map(MsiWindow::range) : Optional.ofNullable(registered);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      for (OwnGroup g : groups) {
        g.requireNoDevice("close " + name);
      }
      for (OwnGroup g : List.copyOf(groups)) {
        detach(g);
      }
      closed = true;
      vfio.forget(this);
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  private OwnGroup own(Group group) {
    if (group instanceof OwnGroup g && g.vfio() == vfio) {
      return g;
    }
    throw new IllegalArgumentException(
        "group " + group.id() + " is not one of " + vfio.host().name());
  }

  private Domain attached(String attempt) {
    if (domain == null) {
      throw new NotAttached(attempt, name, "attach a group to " + name + " first");
    }
    return domain;
  }
}
