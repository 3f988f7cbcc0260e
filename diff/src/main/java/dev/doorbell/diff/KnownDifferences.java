package dev.doorbell.diff;

import java.util.Map;
import java.util.TreeMap;

/// What the names of tolerated differences stand for; `docs/qemu-differences.md` has the same names.
public final class KnownDifferences {
  private static final Map<String, String> TOLD = new TreeMap<>();

  static {
    for (SmmuQuirk q : SmmuQuirk.values()) {
      TOLD.put(q.id(), "IHI 0070 G.b, " + q.told());
    }
    TOLD.put(
        SmmuJudge.STALE,
        "IHI 0070 G.b, 3.21; VT-d 4.1, 6.2: until it is invalidated a table entry may be used as it is or as it was; both machines did one of these");
    TOLD.put(
        SmmuJudge.TOO_MANY, "more outcomes are permitted than are tried: the scenario ended there");
    TOLD.put(
        "apic-redirection-hint",
        "SDM 3A, 11.11.1: RH = 1 lets the interrupt go to one of the destinations; QEMU delivers it as if RH were 0");
    TOLD.put(
        "amdvi-ignored-bits",
        "48882 3.09, 2.2.3: address bits beyond the root's width and of skipped levels must be 0; QEMU passes over them");
    TOLD.put(
        "amdvi-forward",
        "48882 3.09, 2.2.2.1: IntCtl 01b lets messages pass as they are; QEMU sends vector 0 to CPU 0");
    TOLD.put(
        "amdvi-table-length",
        "48882 3.09, 2.2.2.1: IntTabLen from 12 on is reserved, and an index beyond the table faults; QEMU does not look at it");
    TOLD.put(
        "amdvi-reserved-of-dma",
        "48882 3.09, 2.2.2.1: V says that the half of accesses holds; QEMU raises no interrupt with reserved bits in it");
    TOLD.put(
        "amdvi-wide-reserved",
        "48882 3.09, 2.2.5.2: reserved bits of a 16-byte entry must be 0; QEMU does not look at them");
    TOLD.put(
        "vtd-scalable-reasons",
        "VT-d 4.1, 7.1.3: faults of scalable mode have codes of their own; QEMU records those of legacy mode for all but its first stage and PASID tables");
    TOLD.put(
        "vtd-scalable-snp",
        "VT-d 4.1, 9.8: SNP is reserved where ECAP_REG.SC is 0; QEMU does not look at it in scalable mode");
    TOLD.put(
        "vtd-pasid-reserved",
        "VT-d 4.1, 9.5, 9.6: reserved bits of PASID directory and table entries are 52h and 5Ah; QEMU does not look at them");
    TOLD.put(
        "vtd-pasid-fpd",
        "VT-d 4.1, 9.5, 9.6: FPD keeps faults of its entry from being recorded; QEMU records those of an entry that is not present or invalid");
    TOLD.put(
        "vtd-pasid-order",
        "VT-d 4.1, 7.1.3: an entry that is not present is 59h; QEMU looks at its type first, 5Bh");
    TOLD.put(
        "vtd-first-stage-order",
        "VT-d 4.1, 7.1.3: which of U/S and reserved bits counts first is told nowhere that was at hand; QEMU looks at U/S first");
    TOLD.put(
        "amdvi-illegal-command",
        "48882 3.09, 2.5.6: an illegal command stops the buffer; QEMU passes over it, and over reserved bits of legal ones");
    TOLD.put(
        "amdvi-leaf-permission",
        "48882 3.09, 2.2.3: IR and IW of the device's entry and of all levels together allow; QEMU 11 looks at the last entry's alone");
    TOLD.put(
        "vtd-bus-range",
        "VT-d 4.1, 9.10: SID of a bus range has the first bus in bits 15:8; QEMU has it in 7:0");
    TOLD.put(
        "vtd-compatibility-format",
        "VT-d 4.1, 5.1.4: messages of compatibility format are blocked while GSTS_REG.CFIS is 0; QEMU lets them pass");
    TOLD.put(
        "vtd-pass-through-width",
        "VT-d 4.1, 7.1.3: an address beyond MGAW faults where addresses pass, too; QEMU lets it pass");
    TOLD.put(
        "vtd-early-permission",
        "VT-d 4.1, 3.7: permissions of all levels count together; QEMU ends the walk at the first that denies");
    TOLD.put(
        "vtd-paging-access",
        "VT-d 4.1, 7.1.3: a paging entry that cannot be read is 7h; QEMU records 5h, as of one that denies");
    TOLD.put(
        "vtd-svt-reserved",
        "VT-d 4.1, 9.10: a reserved SVT is a reserved field, 24h; QEMU records 26h");
    TOLD.put(
        "vtd-queue-error-cleared",
        "VT-d 4.1, 6.5.2, 11.4.7.1: the queue goes on when FSTS_REG.IQE is cleared; QEMU's with the next write of IQT_REG");
    TOLD.put(
        "its-ptz",
        "IHI 0069 H, 12.11.25: GICR_PENDBASER.PTZ reads as zero; QEMU answers what was written");
    TOLD.put(
        "its-mapd-size",
        "IHI 0069 H, 5.3.11: Size of a MAPD with V = 0 has no meaning; QEMU passes over the command when it is too large");
    TOLD.put(
        "gicv2-1022-early",
        "IHI 0048B.b, 4.4.4: GICC_IAR answers 1022 for a Group 1 interrupt of sufficient priority; QEMU does not look at the priority then");
    TOLD.put(
        "gicv2-subpriority",
        "IHI 0048B.b, 3.3.3: group priorities decide on preemption; QEMU compares whole priorities, which differs when the running priority was made with another binary point");
    riscvContexts();
    riscvTables();
    riscvMessages();
  }

  private static void riscvContexts() {
    riscv(
        "dc-reserved",
        "2.1.4: reserved bits make a device context misconfigured; QEMU does not look at them");
    riscv("fsc-mode", "2.1.4: fsc.MODE above 10 is cause 259; QEMU records 258");
    riscv(
        "iohgatp-align",
        "2.1.4: a root of the second stage is aligned to 16 KiB; QEMU uses it as it is");
    riscv(
        "ade",
        "2.1.4: GADE and SADE need capabilities.AMO_HWAD; QEMU does not look at A and D then");
    riscv("msiptp-bare", "2.1.4: an MSI page table needs a second stage; QEMU uses it without");
    riscv("pdtp-mode", "2.1.4: pdtp.MODE above 3 is cause 259; QEMU records 267, or nothing");
    riscv("pc-reserved", "2.2.4: bits 11:3 of PC.ta are reserved; QEMU does not look at them");
    riscv("pdt-gpa", "2.3.2: process directories lie at guest addresses; QEMU reads physical ones");
    riscv("pid-wide", "2.3: a process_id wider than the directory is cause 260; QEMU cuts it");
    riscv(
        "command-reserved",
        "4.1: a reserved bit makes a command illegal; QEMU does not look at them: the scenario ended there");
    riscv(
        "debug-ppn",
        "6.24: tr_response.PPN is in bits 53:10; QEMU answers the page number under that mask, of a large page its beginning");
  }

  private static void riscvTables() {
    riscv("pte-u", "2.3, Privileged 12.3.2: U = 0 is a page fault; QEMU does not look at U");
    riscv(
        "accessed-write",
        "2.3, Privileged 12.3.1: A = 0 is a page fault of any access; QEMU asks of a write for D alone");
    riscv(
        "pte-pointer",
        "Privileged 12.4.1: U, A and D are reserved in pointers; QEMU does not look at them");
    riscv(
        "pte-reserved",
        "Privileged 12.4.1: bits 63:54 are reserved; QEMU takes them for bits of the page number");
    riscv(
        "implicit-write",
        "2.3.2, Privileged 18.5: tables of the first stage are read; QEMU asks the second stage for rights to write");
    riscv(
        "rights-of-leaf",
        "Privileged 18.5: the second stage is asked for what the access does; QEMU asks for what the first stage's leaf allows");
  }

  private static void riscvMessages() {
    riscv("msi-offset", "AIA 9.5.1: the offset in the page is kept; QEMU sends to offset 0");
    riscv("msi-reserved", "AIA 9.5: reserved bits are cause 263; QEMU does not look at them");
    riscv("msi-custom", "2.3.3: C = 1 is the implementation's; QEMU records 262, the model 263");
    riscv(
        "mrif-layout",
        "AIA 9.3.1: pending bits are 16 bytes apart for each 64 identities; QEMU has them 8 apart");
    riscv("notice", "AIA 9.5.2: a notice is sent always; QEMU sends it where the bit is enabled");
    riscv("mrif-wide", "AIA 9.5.2: an identity above 2047 is discarded; QEMU records 263");
    riscv(
        "mrif-offset",
        "AIA 9.5.2: at offset 4 the datum is big-endian, at others it is discarded; QEMU records it as at 0");
  }

  private static void riscv(String name, String told) {
    TOLD.put("riscv-" + name, "RISC-V IOMMU 1.0, " + told);
  }

  private KnownDifferences() {}

  /// {@return section and difference of a name, or the empty string}
  public static String told(String name) {
    return TOLD.getOrDefault(name, "");
  }

  /// {@return every name with its meaning}
  public static Map<String, String> all() {
    return Map.copyOf(TOLD);
  }
}
