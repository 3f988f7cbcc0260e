package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bits.Register;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "registers of the devices that raise vectors, against the headers of Linux 6.12 and QEMU 10.0")
class DeviceLayoutSourceTest {
  @Test
  @DisplayName("Linux include/linux/nvme.h: offsets, CC and CSTS bits, opcodes, status field")
  void nvme() {
    assertEquals(
        Map.of("CAP", 0x00L, "CC", 0x14L, "CSTS", 0x1cL, "AQA", 0x24L, "ASQ", 0x28L, "ACQ", 0x30L),
        offsets(
            NvmeLayout.CAP,
            NvmeLayout.CC,
            NvmeLayout.CSTS,
            NvmeLayout.AQA,
            NvmeLayout.ASQ,
            NvmeLayout.ACQ));
    // NVME_REG_DBS; the stride of NVME_CAP_STRIDE is cap >> 32 & 0xf.
    assertEquals(0x1000, NvmeLayout.DOORBELL.offset());
    assertEquals(0xfL << 32, NvmeLayout.DSTRD.mask());
    // NVME_CC_ENABLE, _CSS_SHIFT, _MPS_SHIFT, _AMS_SHIFT, _SHN_SHIFT, _IOSQES_SHIFT, _IOCQES_SHIFT.
    assertEquals(1, NvmeLayout.EN.mask());
    assertEquals(4, NvmeLayout.CSS.lsb());
    assertEquals(7, NvmeLayout.MPS.lsb());
    assertEquals(11, NvmeLayout.AMS.lsb());
    assertEquals(14, NvmeLayout.SHN.lsb());
    assertEquals(16, NvmeLayout.IOSQES.lsb());
    assertEquals(20, NvmeLayout.IOCQES.lsb());
    // NVME_CSTS_RDY, NVME_CSTS_CFS.
    assertEquals(1, NvmeLayout.RDY.mask());
    assertEquals(2, NvmeLayout.CFS.mask());
    // nvme_admin_create_sq, _create_cq, _identify, nvme_admin_virtual_mgmt.
    assertEquals(0x01, NvmeLayout.CREATE_SUBMISSION_QUEUE);
    assertEquals(0x05, NvmeLayout.CREATE_COMPLETION_QUEUE);
    assertEquals(0x06, NvmeLayout.IDENTIFY);
    assertEquals(0x1c, NvmeLayout.VIRTUALIZATION_MANAGEMENT);
    // struct nvme_common_command, struct nvme_completion (status: bit 0 is the phase).
    assertEquals(24, NvmeLayout.PRP1.offset());
    assertEquals(32, NvmeLayout.PRP2.offset());
    assertEquals(40, NvmeLayout.CDW10.offset());
    assertEquals(44, NvmeLayout.CDW11.offset());
    assertEquals(12, NvmeLayout.STATUS.offset());
    assertEquals(1L << 16, NvmeLayout.PHASE.mask());
    assertEquals(64, NvmeLayout.SUBMISSION_ENTRY.bytes());
    assertEquals(16, NvmeLayout.COMPLETION_ENTRY.bytes());
    // NVME_QUEUE_PHYS_CONTIG, NVME_CQ_IRQ_ENABLED; cqid and irq_vector follow as 16 bits each.
    assertEquals(1, NvmeLayout.CQ_PC.mask());
    assertEquals(2, NvmeLayout.IEN.mask());
    assertEquals(0xffff_0000L, NvmeLayout.IV.mask());
    assertEquals(0xffff_0000L, NvmeLayout.CQID.mask());
  }

  @Test
  @DisplayName("Linux drivers/net/ethernet/intel/e1000e: regs.h, defines.h")
  void e1000e() {
    assertEquals(
        Map.of("ICR", 0xc0L, "ICS", 0xc8L, "IMS", 0xd0L, "IMC", 0xd8L, "IVAR", 0xe4L),
        offsets(
            E1000eLayout.ICR,
            E1000eLayout.ICS,
            E1000eLayout.IMS,
            E1000eLayout.IMC,
            E1000eLayout.IVAR));
    // E1000_ICR_RXQ0 0x00100000 to E1000_ICR_OTHER 0x01000000; E1000_ICR_INT_ASSERTED;
    // E1000_ICR_LSC.
    assertEquals(0x01f0_0000L, E1000eLayout.QUEUES.mask());
    assertEquals(0x8000_0000L, E1000eLayout.INT_ASSERTED.mask());
    assertEquals(0x4L, E1000eLayout.LSC.mask());
    // E1000_IVAR_INT_ALLOC_VALID; e1000_configure_msix shifts Rx by 0, Tx by 8, other causes by 16.
    assertEquals(8, E1000eLayout.valid(0));
    assertEquals(0, E1000eLayout.RXQ0.lsb());
    assertEquals(8, E1000eLayout.TXQ0.lsb());
    assertEquals(16, E1000eLayout.OTHER.lsb());
    assertEquals(1L << 31, E1000eLayout.WRITE_BACK.mask());
  }

  @Test
  @DisplayName("Linux drivers/net/ethernet/intel/igb: e1000_regs.h, e1000_defines.h")
  void igb() {
    assertEquals(
        Map.of(
            "GPIE", 0x1514L, "EICS", 0x1520L, "EIMS", 0x1524L, "EIMC", 0x1528L, "EIAC", 0x152cL,
            "EICR", 0x1580L),
        offsets(
            IgbLayout.GPIE,
            IgbLayout.EICS,
            IgbLayout.EIMS,
            IgbLayout.EIMC,
            IgbLayout.EIAC,
            IgbLayout.EICR));
    // E1000_GPIE_NSICR, _MSIX_MODE, _EIAME, _PBA.
    assertEquals(0x01L, IgbLayout.NSICR.mask());
    assertEquals(0x10L, IgbLayout.MULTIPLE_MSIX.mask());
    assertEquals(0x4000_0000L, IgbLayout.EIAME.mask());
    assertEquals(0x8000_0000L, IgbLayout.PBA_SUPPORT.mask());
  }

  @Test
  @DisplayName("QEMU hw/misc/ivshmem.c: INTRMASK, INTRSTATUS, IVPOSITION, DOORBELL")
  void ivshmem() {
    assertEquals(0, IvshmemLayout.INTERRUPT_MASK.offset());
    assertEquals(4, IvshmemLayout.INTERRUPT_STATUS.offset());
    assertEquals(8, IvshmemLayout.IV_POSITION.offset());
    assertEquals(12, IvshmemLayout.DOORBELL.offset());
    assertEquals(0xffffL, IvshmemLayout.VECTOR.mask());
    assertEquals(0xffff_0000L, IvshmemLayout.PEER.mask());
  }

  @Test
  @DisplayName(
      "Linux drivers/usb/host/xhci.h: struct xhci_cap_regs, xhci_op_regs, xhci_intr_reg, xhci_erst_entry and their bits")
  void xhci() {
    assertEquals(
        Map.of("CAPLENGTH", 0x00L, "HCSPARAMS1", 0x04L, "RTSOFF", 0x18L),
        offsets(XhciLayout.LENGTH, XhciLayout.HCSPARAMS1, XhciLayout.RTSOFF));
    assertEquals(
        Map.of("USBCMD", 0x00L, "USBSTS", 0x04L), offsets(XhciLayout.USBCMD, XhciLayout.USBSTS));
    assertEquals(
        Map.of("IMAN", 0x00L, "IMOD", 0x04L, "ERSTSZ", 0x08L, "ERSTBA", 0x10L, "ERDP", 0x18L),
        offsets(
            XhciLayout.IMAN,
            XhciLayout.IMOD,
            XhciLayout.ERSTSZ,
            XhciLayout.ERSTBA,
            XhciLayout.ERDP));
    // HC_LENGTH, HCS_MAX_INTRS (bits 8 to 18), RTSOFF_MASK.
    assertEquals(0xffL, XhciLayout.CAPLENGTH.mask());
    assertEquals(0x7ff00L, XhciLayout.MAX_INTRS.mask());
    assertEquals(~0x1fL & 0xffff_ffffL, XhciLayout.RUNTIME.mask());
    // CMD_RUN, CMD_RESET, CMD_EIE, CMD_HSEIE, CMD_LRESET, CMD_CSS, CMD_CRS, CMD_EWE.
    assertEquals(1 << 0, XhciLayout.RS.mask());
    assertEquals(1 << 1, XhciLayout.HCRST.mask());
    assertEquals(1 << 2, XhciLayout.INTE.mask());
    assertEquals(1 << 3, XhciLayout.HSEE.mask());
    assertEquals(1 << 7, XhciLayout.LHCRST.mask());
    assertEquals(1 << 8, XhciLayout.CSS.mask());
    assertEquals(1 << 9, XhciLayout.CRS.mask());
    assertEquals(1 << 10, XhciLayout.EWE.mask());
    // STS_HALT, STS_FATAL, STS_EINT, STS_PORT, STS_CNR, STS_HCE.
    assertEquals(1 << 0, XhciLayout.HCH.mask());
    assertEquals(1 << 2, XhciLayout.HSE.mask());
    assertEquals(1 << 3, XhciLayout.EINT.mask());
    assertEquals(1 << 4, XhciLayout.PCD.mask());
    assertEquals(1 << 11, XhciLayout.CNR.mask());
    assertEquals(1 << 12, XhciLayout.HCE.mask());
    // IMAN_IP, IMAN_IE; ERST_EHB, ERST_DESI_MASK; the pointer is what ERST_PTR_MASK leaves.
    assertEquals(1 << 0, XhciLayout.IP.mask());
    assertEquals(1 << 1, XhciLayout.IE.mask());
    assertEquals(1 << 3, XhciLayout.EHB.mask());
    assertEquals(0x7, XhciLayout.DESI.mask());
    assertEquals(~0xfL, XhciLayout.DEQUEUE.mask());
    // struct xhci_erst_entry: seg_addr, seg_size, rsvd.
    assertEquals(0, XhciLayout.ENTRY_BASE.offset());
    assertEquals(8, XhciLayout.ENTRY_SIZE.offset());
    assertEquals(16, XhciLayout.SEGMENT_ENTRY.bytes());
  }

  private static Map<String, Long> offsets(Register... registers) {
    Map<String, Long> out = new LinkedHashMap<>();
    for (Register r : registers) {
      out.put(r.name(), r.offset());
    }
    return out;
  }
}
