package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.FirmwareStructure;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Puts AMD's IOMMUs, what is behind them, and the memory that they must leave mapped into a draft.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 5.2.2 (IVHD), 5.2.3 (IVMD); where it is
/// silent, Linux 6.12 `drivers/iommu/amd/init.c`.
final class IvrsUnits {
  private static final int REGISTER_BYTES = 0x8_0000;
  private static final int REGISTER_BYTES_WITHOUT_COUNTERS = 0x4000;

  private final Draft draft;
  private final Ivrs ivrs;
  private final RequesterMap requesters;
  private final X86Sources sources;
  private final List<FirmwareStructure> structures;

  /// One IOMMU: its segment and its own requester id.
  private record Key(int segment, int deviceId) {}

  IvrsUnits(Draft draft, Ivrs ivrs, RequesterMap requesters, X86Sources sources) {
    this.draft = draft;
    this.ivrs = ivrs;
    this.requesters = requesters;
    this.sources = sources;
    this.structures = IvrsStructures.of(ivrs);
  }

  void compose() {
    InterruptRemapping remapping = new RemappingRecords(draft).ofAmd(ivrs);
    Map<Key, Ivrs.Unit> units = new LinkedHashMap<>();
    for (Ivrs.Unit u : ivrs.units()) {
      units.merge(new Key(u.segment(), u.deviceId()), u, (a, b) -> b.type() >= a.type() ? b : a);
    }
    for (Ivrs.Unit u : units.values()) {
      unit(u, remapping)
          .ifPresent(i -> {
            draft.iommus.add(i);
            u.entries().forEach(e -> entry(u, i.id(), e));
          });
    }
    // The table lists an IOMMU among what is behind it; it does not translate its own accesses.
    units.keySet().forEach(k -> requesters.remove(k.segment(), k.deviceId()));
    ivrs.memory().forEach(this::reserve);
  }

  private Optional<IommuDescription> unit(Ivrs.Unit u, InterruptRemapping remapping) {
    if (u.base() == 0) {
      draft.findings.odd("IOMMU without a register base is passed over", u.source());
      return Optional.empty();
    }
    int bytes = u.type() == Ivrs.IVHD_10 ? REGISTER_BYTES_WITHOUT_COUNTERS : REGISTER_BYTES;
    return draft
        .range(u.base(), bytes, "IOMMU", u.source())
        .map(window ->
            new IommuDescription.AmdVi(
                draft.unique("amd-vi@0x" + Long.toHexString(u.base())),
                window,
                Sbdf.of(u.segment(), u.deviceId()).toString(),
                remapping,
                abilities(u),
                structures,
                u.source()));
  }

  /// Linux walks as many levels as the hardware does (EFR.HATS); a table that states a size of virtual addresses in IVinfo states it for
  /// all IOMMUs.
  private IommuDescription.Abilities abilities(Ivrs.Unit u) {
    int stated = IvrsLayout.VA_SIZE.getInt(ivrs.info());
    int physical = IvrsLayout.PA_SIZE.getInt(ivrs.info());
    OptionalLong features = u.features();
    OptionalInt input = OptionalInt.empty();
    if (features.isPresent() && features.getAsLong() != 0) {
      int levels = IvrsLayout.FEWEST_LEVELS + IvrsLayout.HATS.getInt(features.getAsLong());
      int bits = Math.min(Long.SIZE, IvrsLayout.PAGE_BITS + IvrsLayout.BITS_PER_LEVEL * levels);
      input = OptionalInt.of(bits);
    } else if (stated > 0 && stated <= Long.SIZE) {
      input = OptionalInt.of(stated);
    }
    return new IommuDescription.Abilities(
        input,
        physical > 0 && physical <= Long.SIZE ? OptionalInt.of(physical) : OptionalInt.empty(),
        List.of(Granule.K4),
        Optional.of(u.source()));
  }

  private void entry(Ivrs.Unit u, String iommu, Ivrs.Entry entry) {
    try {
      switch (entry) {
        case Ivrs.All all ->
            requesters.put(
                new RequesterMap.Ids(u.segment(), 0, Sbdf.LAST_REQUESTER_ID, -1),
                iommu,
                all.source());
        case Ivrs.Range r ->
            requesters.put(
                new RequesterMap.Ids(u.segment(), r.first(), r.last(), r.alias()),
                iommu,
                r.source());
        case Ivrs.Special s -> special(s, iommu);
        case Ivrs.AcpiDevice a ->
            requesters.put(
                new RequesterMap.Ids(u.segment(), a.deviceId(), a.deviceId(), -1),
                iommu,
                a.source());
      }
    } catch (MalformedException e) {
      draft.findings.odd(e);
    }
  }

  private void special(Ivrs.Special s, String iommu) {
    OptionalInt id = OptionalInt.of(s.deviceId());
    switch (s.variety()) {
      case Ivrs.Special.IO_APIC -> sources.ioApic(s.handle(), iommu, id, s.source());
      case Ivrs.Special.HPET -> sources.hpet(s.handle(), iommu, id, s.source());
      default ->
          draft.findings.odd(
              "special device of unknown variety %d is passed over".formatted(s.variety()),
              s.source());
    }
  }

  /// Linux maps exclusion ranges too: hardware has one for all devices, and firmware names several.
  private void reserve(Ivrs.Memory m) {
    boolean kept = IvrsLayout.UNITY.isSet(m.flags()) || IvrsLayout.EXCLUSION.isSet(m.flags());
    if (!kept) {
      draft.findings.harmless(
          "IVMD block asks for nothing: neither Unity nor ExclusionRange is set", m.source());
      return;
    }
    if (m.last() < m.first()) {
      draft.findings.odd(
          "IVMD block's devices end at 0x%x, before 0x%x".formatted(m.last(), m.first()),
          m.source());
      return;
    }
    Optional<AddressRange> range = draft.range(m.start(), m.bytes(), "IVMD block", m.source());
    if (range.isEmpty()) {
      return;
    }
    ReservedRegion region = new ReservedRegion(range.get(), ReservedRegion.Kind.DIRECT, m.source());
    MachineDescription.StreamRange ids = new MachineDescription.StreamRange(m.first(), m.last());
    for (IommuDescription i : draft.iommus) {
      if (i instanceof IommuDescription.AmdVi a
          && Sbdf.parse(a.function()).segment() == m.segment()) {
        draft.reserved.add(
            new MachineDescription.Reservation(
                region, List.of(), Optional.of(a.id()), List.of(ids)));
      }
    }
  }
}
