package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.FirmwareStructure;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Dmar.DeviceScope;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/// Puts VT-d's units, what is behind them, and the memory that they must leave mapped into a draft.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.3 (which unit a device is behind), 8.3.1 (paths of device
/// scopes), 8.4 (RMRR); where it is silent, Linux 6.12 `drivers/iommu/intel`.
final class DmarUnits {
  private static final int USB = 0x0c03;
  private static final int DISPLAY = 0x03;
  private static final int LAST_BUS_ID = 0xff;

  private final Draft draft;
  private final Dmar dmar;
  private final PciTopology topology;
  private final RequesterMap requesters;
  private final X86Sources sources;
  private final RemappingRecords records;
  private final List<FirmwareStructure> structures;

  DmarUnits(Draft draft, Dmar dmar, PciTopology topology, RequesterMap requesters, X86Sources to) {
    this.draft = draft;
    this.dmar = dmar;
    this.topology = topology;
    this.requesters = requesters;
    this.sources = to;
    this.records = new RemappingRecords(draft);
    this.structures = DmarStructures.of(dmar);
  }

  void compose() {
    InterruptRemapping remapping = records.ofVtd(dmar);
    Map<Dmar.Unit, String> units = new LinkedHashMap<>();
    for (Dmar.Unit unit : dmar.units()) {
      unit(unit, remapping)
          .ifPresent(u -> {
            draft.iommus.add(u);
            units.put(unit, u.id());
          });
    }
    // What is put down later counts: the rest of a segment, then what lies below a bridge, then the
    // devices that are named, and last their virtual functions, which go where these do.
    // Linux looks for a device in the order of its list: units with INCLUDE_PCI_ALL join that at
    // the end, so that the first of them counts; others join at the front, so that the last that
    // names a device does.
    Set<Integer> served = new HashSet<>();
    units.forEach((unit, id) -> {
      if (unit.includeAll() && served.add(unit.segment())) {
        put(unit.segment(), 0, Sbdf.LAST_REQUESTER_ID, id, unit.source());
      } else if (unit.includeAll()) {
        draft.findings.harmless(
            "a second unit with INCLUDE_PCI_ALL for segment %d; the first counts"
                .formatted(unit.segment()),
            unit.source());
      }
    });
    units.forEach((unit, id) -> scopes(unit, id, DeviceScope.SUB_HIERARCHY));
    units.forEach((unit, id) -> scopes(unit, id, DeviceScope.ENDPOINT));
    units.forEach(this::virtualFunctions);
    units.forEach(this::interruptSources);
    dmar.memory().forEach(this::reserve);
  }

  private Optional<IommuDescription> unit(Dmar.Unit unit, InterruptRemapping remapping) {
    if (unit.base() == 0) {
      draft.findings.odd("remapping unit without a register base is passed over", unit.source());
      return Optional.empty();
    }
    return draft
        .range(unit.base(), unit.bytes(), "remapping unit", unit.source())
        .map(window ->
            new IommuDescription.VtD(
                draft.unique("vt-d@0x" + Long.toHexString(unit.base())),
                window,
                unit.segment(),
                unit.includeAll(),
                remapping,
                abilities(unit),
                structures,
                unit.source()));
  }

  /// Linux translates with as many levels as the unit walks, and no wider than it takes addresses in (CAP_REG.SAGAW and MGAW).
  private IommuDescription.Abilities abilities(Dmar.Unit unit) {
    OptionalInt output =
        dmar.width() > Long.SIZE ? OptionalInt.empty() : OptionalInt.of(dmar.width());
    Optional<X86Log.Capabilities> c = records.capabilities(unit.base());
    OptionalInt input = OptionalInt.empty();
    if (c.isPresent() && DmarLayout.CAP_SAGAW.isSet(c.get().cap())) {
      int largest =
          Integer.SIZE
              - 1
              - Integer.numberOfLeadingZeros(DmarLayout.CAP_SAGAW.getInt(c.get().cap()));
      int walked = DmarLayout.FIRST_WIDTH + DmarLayout.BITS_PER_LEVEL * largest;
      int taken = DmarLayout.CAP_MGAW.getInt(c.get().cap()) + 1;
      input = OptionalInt.of(Math.min(walked, taken));
    }
    return new IommuDescription.Abilities(
        input,
        output,
        List.of(Granule.K4),
        c.map(X86Log.Capabilities::source)
            .or(() -> Optional.of(dmar.table().source(DmarLayout.WIDTH.offset()))));
  }

  private void scopes(Dmar.Unit unit, String iommu, int type) {
    for (DeviceScope scope : unit.scopes()) {
      if (scope.type() != type) {
        continue;
      }
      Optional<Sbdf> at = resolve(unit.segment(), scope);
      if (at.isEmpty()) {
        draft.findings.unseen(
            "which function a device scope of %s means".formatted(iommu),
            "its path at %s leads through a bridge whose bus numbers are not in the capture"
                .formatted(scope.source()),
            unit.includeAll()
                ? "the unit serves the rest of its segment anyway"
                : "the function is taken to be behind the unit that serves the rest of the segment");
        continue;
      }
      int rid = at.get().requesterId();
      put(unit.segment(), rid, rid, iommu, scope.source());
      below(at.get())
          .ifPresent(b ->
              put(
                  unit.segment(),
                  b.secondary() << Byte.SIZE,
                  b.subordinate() << Byte.SIZE | LAST_BUS_ID,
                  iommu,
                  scope.source()));
      if (type == DeviceScope.SUB_HIERARCHY && topology.function(at.get()).isEmpty()) {
        draft.findings.unseen(
            "functions below %s, which are behind %s".formatted(at.get(), iommu),
            "the bridge's bus numbers are not in the capture",
            "only the bridge itself is known to be behind it");
      }
    }
  }

  private void virtualFunctions(Dmar.Unit unit, String iommu) {
    Map<Sbdf, Source> named = new LinkedHashMap<>();
    for (DeviceScope scope : unit.scopes()) {
      if (scope.type() == DeviceScope.ENDPOINT) {
        resolve(unit.segment(), scope).ifPresent(s -> named.putIfAbsent(s, scope.source()));
      }
    }
    if (named.isEmpty()) {
      return;
    }
    for (PciFunction f : topology.functions()) {
      Optional<Source> source =
          topology.physicalFunction(f).flatMap(pf -> Optional.ofNullable(named.get(pf.sbdf())));
      if (source.isPresent() && f.sbdf().segment() == unit.segment()) {
        int rid = f.sbdf().requesterId();
        put(unit.segment(), rid, rid, iommu, source.get());
      }
    }
  }

  private void interruptSources(Dmar.Unit unit, String iommu) {
    for (DeviceScope scope : unit.scopes()) {
      if (scope.type() == DeviceScope.IO_APIC || scope.type() == DeviceScope.HPET) {
        OptionalInt rid =
            resolve(unit.segment(), scope)
                .map(s -> OptionalInt.of(s.requesterId()))
                .orElse(OptionalInt.empty());
        if (scope.type() == DeviceScope.IO_APIC) {
          sources.ioApic(scope.enumerationId(), iommu, rid, scope.source());
        } else {
          sources.hpet(scope.enumerationId(), iommu, rid, scope.source());
        }
      }
    }
  }

  private void put(int segment, int first, int last, String iommu, Source source) {
    try {
      requesters.put(new RequesterMap.Ids(segment, first, last, -1), iommu, source);
    } catch (MalformedException e) {
      draft.findings.odd(e);
    }
  }

  /// Linux maps an RMRR for each function on its own: what a USB controller or a display adapter shares with firmware ends when its driver
  /// takes it over, so that the region may be given up (`device_rmrr_is_relaxable`).
  private void reserve(Dmar.Memory m) {
    if (Long.compareUnsigned(m.limit(), m.base()) < 0) {
      draft.findings.odd(
          "RMRR ends at 0x%x, before its start 0x%x".formatted(m.limit(), m.base()), m.source());
      return;
    }
    AddressRange range = new AddressRange(m.base(), m.limit());
    if (!Granule.K4.isAligned(m.base()) || !Granule.K4.isAligned(m.limit() + 1)) {
      draft.findings.harmless("RMRR %s is not made of whole pages".formatted(range), m.source());
    }
    Map<Kind, List<Sbdf>> functions = new TreeMap<>();
    for (Sbdf s : functionsOf(m)) {
      Kind kind =
          topology.function(s).filter(DmarUnits::givesUp).isPresent()
              ? Kind.DIRECT_RELAXABLE
              : Kind.DIRECT;
      functions.computeIfAbsent(kind, _ -> new ArrayList<>()).add(s);
    }
    functions.forEach((kind, of) ->
        draft.reserved.add(
            new MachineDescription.Reservation(
                new ReservedRegion(range, kind, m.source()), of, Optional.empty(), List.of())));
  }

  private Set<Sbdf> functionsOf(Dmar.Memory m) {
    Set<Sbdf> out = new LinkedHashSet<>();
    for (DeviceScope scope : m.scopes()) {
      Optional<Sbdf> at = scope.isPci() ? resolve(m.segment(), scope) : Optional.empty();
      if (at.isEmpty()) {
        if (scope.isPci()) {
          draft.findings.unseen(
              "which function the RMRR at 0x%x is for".formatted(m.base()),
              "its path at %s leads through a bridge whose bus numbers are not in the capture"
                  .formatted(scope.source()),
              "that function's reserved regions may lack it");
        }
        continue;
      }
      out.add(at.get());
      below(at.get())
          .ifPresent(b ->
              topology.functions().stream()
                  .map(PciFunction::sbdf)
                  .filter(s -> s.segment() == m.segment() && b.leadsTo(s.bus()))
                  .forEach(out::add));
    }
    return out;
  }

  private static boolean givesUp(PciFunction f) {
    int type = f.classCode() >>> Byte.SIZE;
    return type == USB || type >>> Byte.SIZE == DISPLAY;
  }

  private Optional<BridgeRegisters> below(Sbdf at) {
    return topology
        .function(at)
        .flatMap(f -> f.bridge().thing())
        .filter(b -> b.secondary() > at.bus() && b.subordinate() >= b.secondary());
  }

  /// {@return the function that a scope's path leads to; empty when it passes a bridge that is not in the capture, or names what no function is}
  ///
  private Optional<Sbdf> resolve(int segment, DeviceScope scope) {
    int bus = scope.startBus();
    List<Integer> path = scope.path();
    for (int i = 0; i + 1 < path.size(); i += 2) {
      if (path.get(i) > 31 || path.get(i + 1) > 7) {
        draft.findings.odd(
            "device scope names device %d, function %d, which no function has"
                .formatted(path.get(i), path.get(i + 1)),
            scope.source());
        return Optional.empty();
      }
      Sbdf at = new Sbdf(segment, bus, path.get(i), path.get(i + 1));
      if (i + 2 >= path.size()) {
        return Optional.of(at);
      }
      Optional<BridgeRegisters> next = below(at);
      if (next.isEmpty()) {
        return Optional.empty();
      }
      bus = next.get().secondary();
    }
    return Optional.empty();
  }
}
