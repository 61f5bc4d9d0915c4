// The words of areas and zones.

export const placesZh = {
  places: {
    newZone: '新防区',
    newZoneOption: '＋ 新防区…',
    kind: '用途',
    name: '名称，例如 3号楼北侧消防通道',
    area: '所在区域',
    noArea: '不属于任何区域',
    newArea: '＋ 新区域…',
    areaName: '区域名称，例如 3号楼',
    save: '保存',
  },
}

export type PlacesMessages = typeof placesZh

export const placesEn: PlacesMessages = {
  places: {
    newZone: 'New zone',
    newZoneOption: '+ new zone…',
    kind: 'Purpose',
    name: 'Name, like Fire lane north of building 3',
    area: 'Area',
    noArea: 'In no area',
    newArea: '+ new area…',
    areaName: 'Name of the area, like Building 3',
    save: 'Save',
  },
}
