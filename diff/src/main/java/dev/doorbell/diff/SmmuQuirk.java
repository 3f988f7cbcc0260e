package dev.doorbell.diff;

/// How QEMU's SMMUv3 differs from the manual. Each is as narrow as the model can be made to repeat it.
enum SmmuQuirk {
  CLASS_ZERO(
      "smmu-event-class",
      "7.3.13: CLASS of a fault of the input address is IN (0b10); QEMU 7.2 records 0"),
  NO_ACCESS_FLAG(
      "smmu-access-flag",
      "3.13, CD.AFFD: AF = 0 faults with F_ACCESS; QEMU 7.2 does not look at AF"),
  NO_UNPRIVILEGED_CHECK(
      "smmu-ap1",
      "DDI 0487 D8.4, AP[1] and APTable[0]: unprivileged accesses are denied; QEMU does not look at them"),
  RECORDS_BAD_STREAM(
      "smmu-recinvsid",
      "6.3.12, CR2.RECINVSID = 0: C_BAD_STREAMID is not recorded; QEMU always records it"),
  IOVA_48_BITS(
      "smmu-iova-48",
      "3.4.1: an input address that no table covers faults with F_TRANSLATION; of an address of 2^48 or more QEMU 7.2's SMMU never hears"),
  CONTEXT_PTR_CUT(
      "smmu-s1contextptr",
      "3.4.3: S1ContextPtr beyond the OAS is C_BAD_STE from SMMUv3.1 on; QEMU before 11.0 cuts to bits 47:6, and F_CD_FETCH"),
  CONTEXT_PTR_WHOLE(
      "smmu-s1contextptr-whole",
      "3.4.3: S1ContextPtr beyond the OAS is C_BAD_STE from SMMUv3.1 on; QEMU 11 reads at all of it, and F_CD_FETCH"),
  TTB_CUT(
      "smmu-ttb",
      "5.4, CD.TTB0: TTB0 and TTB1 beyond the effective IPS are ILLEGAL; QEMU before 11.0 cuts them to bits 50:4 first"),
  TTB_CUT_52(
      "smmu-ttb-52",
      "5: bits 55:52 of TTB0 and TTB1 are RES0, and may make the CD invalid or be ignored, as QEMU 11 does"),
  ABSENT_COMMANDS(
      "smmu-absent-commands",
      "4.4, 4.5, 4.7: commands of features that are not there end in CERROR_ILL; QEMU passes over them"),
  SYNC_CS(
      "smmu-sync-cs",
      "4.7.3, CMD_SYNC.CS = 0b11 is reserved, CERROR_ILL; QEMU takes it as SIG_IRQ"),
  QUEUE_FULL(
      "smmu-event-overflow",
      "7.4: a record that finds the queue full toggles OVFLG; QEMU makes SMMU_GERROR.EVENTQ_ABT_ERR active"),
  SPAN(
      "smmu-span",
      "3.3.1.2, 7.3.3: a StreamID beyond 2^(Span - 1) entries is C_BAD_STREAMID; QEMU takes 2^Span entries, and C_BAD_STE beyond them"),
  FETCH_ADDRESS(
      "smmu-fetch-address",
      "7.3.4, 7.3.10: FetchAddr of F_STE_FETCH and F_CD_FETCH is in bits 243:195; QEMU writes it to bits 191:128"),
  SECOND_TABLE(
      "smmu-ttb1",
      "3.4.1, DDI 0487 D8.2: TTB1 is for addresses whose upper bits are ones; QEMU 7.2 uses it for zeroes that TTB0 does not take"),
  BLOCK_LEVEL(
      "smmu-block-level",
      "DDI 0487 D8.3.1: block descriptors where the granule has no block are reserved, F_TRANSLATION; QEMU takes them"),
  TABLE_PERMISSION(
      "smmu-aptable-early",
      "DDI 0487 D8.4, D8.12: APTable counts when the leaf is found; QEMU ends the walk with F_PERMISSION at the table"),
  TABLE_CACHED(
      "smmu-aptable-cached",
      "DDI 0487 D8.4: APTable counts for every access; a write that hits the TLB entry which a read made passes in QEMU, as the entry has the leaf's permissions alone"),
  SUBSTREAMS_REFUSED(
      "smmu-s1cdmax",
      "5.2.2 SteIllegal: without substreams S1CDMax is ignored; QEMU takes others than zero for ILLEGAL"),
  RANGE_RESERVED(
      "smmu-range-reserved",
      "4.4.1.1: TG with NUM, SCALE and TTL of zero is reserved, CERROR_ILL; QEMU takes it as one granule"),
  IPA_WHOLE(
      "smmu-ipa",
      "7.3.13 to 7.3.16: IPA of a fault of stage 2 is bits 51:12; QEMU 10 writes the address with its lower bits"),
  NESTED_READS(
      "smmu-nested-rnw",
      "7.3.13: RnW is that of the device's access; of a fault of stage 2 at a CD, or at the table that the CD names, QEMU 10 records a read"),
  NO_TABLE_READ(
      "smmu-ttrnw",
      "7.3.16: TTRnW is 1 when stage 2 denies a read of a table, and UNKNOWN of a CD; QEMU 10 leaves it 0"),
  TABLE_OF_FIRST(
      "smmu-table-s2",
      "7.3.13: a fault of stage 2 at a table of stage 1 has S2 = 1, and is recorded as STE.S2R says; below the first table QEMU 10 writes 0 and looks at CD.R"),
  TABLE_IPA(
      "smmu-table-ipa",
      "7.3.13: IPA of a fault of stage 2 at a table of stage 1 is the descriptor's; QEMU 10 writes the table's"),
  SIZE_LAST(
      "smmu-size-last",
      "7.3.22: an output address that is too wide is found before AF and permissions; QEMU 10 looks at those first"),
  NESTED_SIZE(
      "smmu-nested-size",
      "7.3.14: a table's address beyond IPS is a fault of stage 1, CLASS IN; QEMU 10 writes CLASS TT, and the address where the IPA of a stage 2 fault is"),
  EAGER_TABLES(
      "smmu-nested-ttb",
      "7.3.22: TTB0 and TTB1 of a nested stream go through stage 2 when a walk begins at one of them; QEMU 10 translates both when it reads the CD"),
  SILENT_IPA_SIZE(
      "smmu-ipa-size",
      "3.4, 3.4.3: an address beyond the IAS, with stage 2 alone, is a fault of stage 1 and recorded as F_ADDR_SIZE; QEMU 10 records nothing, as no CD says R; nor where the address of a nested stream's CD is beyond it"),
  STALL_REFUSED(
      "smmu-s1stalld",
      "5.2, S1STALLD: ignored where stage 1 does not translate; QEMU 10 takes it for ILLEGAL then, too"),
  EVENT_EACH(
      "smmu-event-each",
      "3.18.2: the event queue's interrupt comes when the queue becomes non-empty; QEMU's comes with each record"),
  NO_OUTPUT_SIZE(
      "smmu-output-size",
      "3.4, 7.3.14: an output address wider than IPS faults with F_ADDR_SIZE; QEMU 7.2 lets it pass");

  private final String id;
  private final String told;

  SmmuQuirk(String id, String told) {
    this.id = id;
    this.told = told;
  }

  /// {@return its name in reports and in `docs/qemu-differences.md`}
  String id() {
    return id;
  }

  /// {@return section and difference}
  String told() {
    return told;
  }
}
