package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.SimpleIommu;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// A small machine for tests of this room: two IOMMUs, doorbells of two ITSes and a GICv2m frame.
final class Bench {
  static final AddressRange WINDOW = AddressRange.ofSize(0x800_0000, 0x10_0000);
  static final Source TEST = Source.rule("test");
  static final DoorbellFrame ITS0 = its("its@0x8080000", 0x809_0000);
  static final DoorbellFrame ITS1 = its("its@0x80a0000", 0x80b_0000);
  static final DoorbellFrame V2M =
      new DoorbellFrame(
          "v2m@0x8020000", new Pa(0x802_0040), AddressRange.ofSize(0x802_0000, 0x1000), TEST);

  final HardwareWrites hw = new HardwareWrites();
  final Ringers ringers = new Ringers();
  final SimpleIommu smmu0;
  final SimpleIommu smmu1 = SimpleIommu.of("smmu1", hw);

  Bench() {
    this(true, true);
  }

  Bench(boolean hitless, boolean translatesMsi) {
    smmu0 = SimpleIommu.of("smmu0", hw, hitless, translatesMsi);
  }

  static DoorbellFrame its(String name, long frame) {
    return new DoorbellFrame(
        name, new Pa(frame + 0x40), AddressRange.ofSize(frame, 0x1_0000), TEST);
  }

  Domain user(String name) {
    return Domain.create(name, DomainPolicy.USER, smmu0, Granule.K4);
  }

  Domain userWithWindow(String name) {
    Domain d = user(name);
    d.reserveMsiWindow(WINDOW);
    return d;
  }

  static Member member(SimpleIommu iommu, int stream, boolean isolated) {
    return new Member(
        "0000:0%d:00.0".formatted(stream),
        List.of(new Stream(iommu, stream)),
        new Isolation(isolated, isolated ? ITS0.name() : V2M.name(), OptionalInt.of(stream), TEST));
  }

  IommuGroup group(int id, ReservedRegion... regions) {
    return IommuGroup.of(
        id, List.of(member(smmu0, id, true)), List.of("alone"), List.of(regions), ringers);
  }

  static ReservedRegion region(ReservedRegion.Kind kind, long start, long bytes) {
    return new ReservedRegion(AddressRange.ofSize(start, bytes), kind, TEST);
  }

  /// {@return everything that hardware holds}
  List<Map<String, Object>> state() {
    return List.of(smmu0.state(), smmu1.state());
  }

  /// {@return the first function of a group, as it rings at some doorbells}
  static List<Ringer> ringing(IommuGroup group, DoorbellFrame... frames) {
    Member first = group.members().getFirst();
    return Arrays.stream(frames)
        .map(f -> new Ringer(first.name(), f, first.isolation().deviceId(), TEST))
        .toList();
  }

  static List<DoorbellLease> lease(IommuGroup group, DoorbellFrame... frames) {
    group.lock().lock();
    try {
      List<DoorbellLease> out = group.claimDoorbells(ringing(group, frames));
      out.forEach(DoorbellLease::map);
      return out;
    } finally {
      group.lock().unlock();
    }
  }
}
