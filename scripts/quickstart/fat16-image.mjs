/**
 * A FAT16 disk image, for machines that have no mkfs to call. Files have 8.3 names and lie in the root directory, one
 * after the other, so that a changed file changes the disk where the file is and nowhere else.
 */
const sectorBytes = 512
const sectorsPerCluster = 4
const clusterBytes = sectorBytes * sectorsPerCluster
const rootEntries = 512
const entryBytes = 32
const volumeAttribute = 0x08
const archiveAttribute = 0x20
const endOfChain = 0xffff

/** 1 January 2026, 12:00, in FAT's own notation: the same files always make the same image. */
const date = ((2026 - 1980) << 9) | (1 << 5) | 1
const time = 12 << 11

/**
 * @param {number} sizeBytes a multiple of 512, from 16 to 128 MiB
 * @param {string} label at most 11 characters
 * @param {readonly { name: string, content: Buffer }[]} files names in 8.3 form, such as `HELLO.TXT`
 * @returns {Buffer}
 */
export function fat16Image(sizeBytes, label, files) {
  const image = Buffer.alloc(sizeBytes)
  const layout = layoutOf(sizeBytes)
  writeBootSector(image, layout, label)
  const fat = Buffer.alloc(layout.fatSectors * sectorBytes)
  fat.writeUInt16LE(0xfff8, 0)
  fat.writeUInt16LE(endOfChain, 2)
  writeEntry(image, layout.rootOffset, {
    name: label.padEnd(11),
    attribute: volumeAttribute,
    cluster: 0,
    size: 0,
  })
  let cluster = 2
  files.forEach(({ name, content }, index) => {
    const count = Math.ceil(content.length / clusterBytes)
    const [base = '', extension = ''] = name.split('.')
    writeEntry(image, layout.rootOffset + (index + 1) * entryBytes, {
      name: base.padEnd(8) + extension.padEnd(3),
      attribute: archiveAttribute,
      cluster: count === 0 ? 0 : cluster,
      size: content.length,
    })
    for (let at = 0; at < count; at++) {
      fat.writeUInt16LE(at === count - 1 ? endOfChain : cluster + at + 1, (cluster + at) * 2)
    }
    content.copy(image, layout.dataOffset + (cluster - 2) * clusterBytes)
    cluster += count
  })
  fat.copy(image, sectorBytes)
  fat.copy(image, sectorBytes + fat.length)
  return image
}

function layoutOf(sizeBytes) {
  const sectors = sizeBytes / sectorBytes
  const rootSectors = (rootEntries * entryBytes) / sectorBytes
  // Room for an entry for every cluster the disk could have; a few entries more than needed do no harm.
  const fatSectors = Math.ceil(((sectors / sectorsPerCluster + 2) * 2) / sectorBytes)
  const rootOffset = (1 + 2 * fatSectors) * sectorBytes
  return { sectors, fatSectors, rootOffset, dataOffset: rootOffset + rootSectors * sectorBytes }
}

function writeBootSector(image, { sectors, fatSectors }, label) {
  Buffer.from([0xeb, 0x3c, 0x90]).copy(image, 0)
  image.write('STOWAGE ', 3, 'ascii')
  image.writeUInt16LE(sectorBytes, 11)
  image.writeUInt8(sectorsPerCluster, 13)
  image.writeUInt16LE(1, 14) // reserved sectors: this one
  image.writeUInt8(2, 16) // copies of the FAT
  image.writeUInt16LE(rootEntries, 17)
  image.writeUInt16LE(sectors < 0x10000 ? sectors : 0, 19)
  image.writeUInt8(0xf8, 21) // a fixed disk
  image.writeUInt16LE(fatSectors, 22)
  image.writeUInt16LE(63, 24)
  image.writeUInt16LE(255, 26)
  image.writeUInt32LE(sectors < 0x10000 ? 0 : sectors, 32)
  image.writeUInt8(0x80, 36)
  image.writeUInt8(0x29, 38) // the three fields below are there
  image.writeUInt32LE(0x57a6e001, 39)
  image.write(label.padEnd(11), 43, 'ascii')
  image.write('FAT16   ', 54, 'ascii')
  image.writeUInt16LE(0xaa55, 510)
}

function writeEntry(image, offset, { name, attribute, cluster, size }) {
  image.write(name, offset, 'ascii')
  image.writeUInt8(attribute, offset + 11)
  image.writeUInt16LE(time, offset + 22)
  image.writeUInt16LE(date, offset + 24)
  image.writeUInt16LE(cluster, offset + 26)
  image.writeUInt32LE(size, offset + 28)
}
