package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Walks an SMMUv2's own registers and tables from a StreamID to a physical address, and says what each means. Reads nothing but what it is
/// given, changes nothing, and ends after at most 128 stream match registers and a dozen descriptors, whatever they hold.
///
/// **Source** IHI 0062 D.c, 2.3 to 2.5.
public final class SmmuV2Walker {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param id the SMMU's id, for the hops
  /// @param registers contents by the manual's name without `SMMU_`: `sCR0`, `SMR0`, `S2CR0`, `CBAR0`, and `CB0_TTBR0` for a bank's
  /// @param memory where the tables lie
  public SmmuV2Walker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of one access}
  ///
  /// @param write whether it writes; an MSI does
  public SmmuV2Walk walk(int streamId, Iova input, boolean write) {
    SmmuV2Trail trail = new SmmuV2Trail(id, registers, memory);
    Optional<Long> cr0 = trail.global(CR0, "whether the SMMU looks at accesses");
    Optional<Long> idr0 = cr0.isEmpty() ? cr0 : trail.global(IDR0, "how streams are mapped");
    if (cr0.isEmpty() || idr0.isEmpty()) {
      return trail.stopped();
    }
    Source source = at(CR0);
    if (CR0_CLIENTPD.isSet(cr0.get())) {
      trail.hop(input.toString(), input.toString(), "CLIENTPD=1: bypass", source);
      return trail.reached(new Pa(input.value()));
    }
    String in = "stream 0x%x, %s".formatted(streamId, input);
    trail.hop(in, "accesses are looked at", "CLIENTPD=0", source);
    boolean matching = IDR0_SMS.isSet(idr0.get());
    List<Integer> entries =
        matching
            ? matches(trail, streamId, idr0.get(), cr0.get())
            : List.of(streamId).stream().filter(s -> s >= 0 && s < MOST_STREAMS).toList();
    if (entries.isEmpty()) {
      return unidentified(trail, in, input, cr0.get());
    }
    if (entries.size() > 1) {
      return conflict(trail, in, input, entries, cr0.get());
    }
    return mapped(trail, in, entries.getFirst(), input, write);
  }

  private static List<Integer> matches(SmmuV2Trail trail, int streamId, long idr0, long cr0) {
    boolean extended = IDR0_EXIDS.isSet(idr0) && CR0_EXIDENABLE.isSet(cr0);
    int count = Math.min(IDR0_NUMSMRG.getInt(idr0), MOST_STREAMS);
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long smr = trail.peek(SMR, i).orElse(0L);
      long way = trail.peek(S2CR, i).orElse(0L);
      int mask = (extended ? EXSMR_MASK : SMR_MASK).getInt(smr);
      int own = (extended ? EXSMR_ID : SMR_ID).getInt(smr);
      int kept = ~mask & (int) (extended ? EXSMR_ID : SMR_ID).max();
      boolean valid = extended ? S2CR_EXIDVALID.isSet(way) : SMR_VALID.isSet(smr);
      if (valid && (streamId & kept) == (own & kept)) {
        out.add(i);
        trail.hop(
            "SMR" + i,
            "stream 0x%x".formatted(streamId),
            "S2CR" + i,
            "ID=0x%x MASK=0x%x".formatted(own, mask),
            Source.at("SMMU_SMR" + i, SMR.offset(i)));
      }
    }
    return out;
  }

  private static SmmuV2Walk unidentified(SmmuV2Trail trail, String in, Iova input, long cr0) {
    if (CR0_USFCFG.isSet(cr0)) {
      return trail.stop(
          in, "no register knows the stream, and USFCFG=1: unidentified stream fault", at(CR0));
    }
    trail.hop(in, input.toString(), "no register knows the stream, USFCFG=0: bypass", at(CR0));
    return trail.reached(new Pa(input.value()));
  }

  private static SmmuV2Walk conflict(
      SmmuV2Trail trail, String in, Iova input, List<Integer> entries, long cr0) {
    String which = "the registers %s match the stream".formatted(entries);
    if (CR0_SMCFCFG.isSet(cr0)) {
      return trail.stop(in, which + ", and SMCFCFG=1: stream match conflict fault", at(CR0));
    }
    trail.hop(in, input.toString(), which + ", SMCFCFG=0: bypass", at(CR0));
    return trail.reached(new Pa(input.value()));
  }

  private static SmmuV2Walk mapped(
      SmmuV2Trail trail, String in, int entry, Iova input, boolean write) {
    Optional<Long> way = trail.global(S2CR, entry, "where the stream goes");
    if (way.isEmpty()) {
      return trail.stopped();
    }
    Source source = Source.at("SMMU_S2CR" + entry, S2CR.offset(entry));
    int type = S2CR_TYPE.getInt(way.get());
    String fields = SmmuV2Trail.print(S2CR.layout(), way.get());
    if (type == TYPE_BYPASS) {
      trail.hop("S2CR" + entry, in, input.toString(), fields, source);
      return trail.reached(new Pa(input.value()));
    }
    if (type != TYPE_TRANSLATION) {
      return trail.stop(in, "S2CR%d lets the stream fault: %s".formatted(entry, fields), source);
    }
    int bank = S2CR_CBNDX.getInt(way.get());
    trail.hop(
        "S2CR" + entry,
        in,
        "context bank " + bank,
        fields.isEmpty() ? "TYPE=0 CBNDX=0" : fields,
        source);
    return new ContextWalk(trail).walk(bank, input, write);
  }

  static Source at(Register register) {
    return Source.at(register.name(), register.offset());
  }
}
