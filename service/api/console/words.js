// All words of the page, in English and Simplified Chinese (简体中文).

const WORDS = {
  en: {
    skip: "Skip to the work orders",
    tagline: "Street watch and work orders",
    language: "Language",
    signOut: "Sign out",
    signInTitle: "Sign in",
    signInHelp: "Enter the API key that your administrator gave you.",
    key: "API key",
    signIn: "Sign in",
    keyRefused: "This key is not known. Check it and try again.",
    keyMayNotRead: "This key may not read work orders. Ask for one with the role client or admin.",
    sessionEnded: "Your session has ended. Please sign in again.",
    unreachable: "The dispatch service does not answer. What you see is from {time}; trying again.",
    unreachableAtFirst: "The dispatch service does not answer. Trying again.",
    serviceFailed: "The dispatch service reports an error ({reason}). Trying again.",
    live: "Live",
    stale: "Not up to date",
    cameras: "Cameras",
    orders: "Newest work orders",
    noCameras: "No camera has reported yet. Cameras appear here when a daemon runs: streetwarden run --config city.yaml",
    noOrders: "No work orders yet. They appear here as soon as an incident is confirmed.",
    more: "Show older ones",
    camerasOnline: "Cameras online",
    ofTotal: "{n} of {total}",
    shownOrders: "{n} shown",
    waiting: "Waiting to be dispatched",
    inWork: "In work",
    done: "Resolved or closed",
    amongShown: "of the newest {n}",
    state_online: "Online",
    state_offline: "Offline",
    state_connecting: "Connecting",
    state_ended: "Ended",
    lastFrame: "Last frame",
    never: "none yet",
    drops: "Dropped",
    reconnects: "Reconnects",
    looks: "Looks",
    model: "Model",
    resolution: "Picture",
    noPicture: "No picture yet",
    pictureOf: "Latest picture of {name}",
    enlarge: "Enlarge the picture of {name}",
    open: "Open work order {number}",
    order: "Work order {number}",
    evidence: "Evidence",
    noEvidence: "No evidence picture has arrived yet.",
    evidenceMissing: "Picture cannot be loaded",
    signedList: "Signed list of all files",
    "evidence_first-wide": "First sight",
    "evidence_first-close": "First sight, close-up",
    "evidence_opened-wide": "When confirmed",
    "evidence_opened-close": "Confirmed, close-up",
    "evidence_clip": "Film",
    "evidence_latest-wide": "Latest sight",
    "evidence_latest-close": "Latest sight, close-up",
    "evidence_cleared-wide": "When cleared",
    "evidence_opened-clean": "Without drawings",
    department: "Department",
    noDepartment: "Nobody yet",
    camera: "Camera",
    zone: "Zone",
    address: "Place",
    category: "Category",
    label: "Seen",
    seenWith: "{label}, {confidence} sure",
    objects: "Objects",
    startedAt: "Since",
    openedAt: "Confirmed",
    lastSeenAt: "Last seen",
    observed: "Watched for",
    dwell: "Threshold",
    onCamera: "On camera",
    clearSince: "Clear since {time}",
    timeToClear: "Time to clear",
    recurrence: "Comes back after",
    earlierOrder: "an earlier order",
    stillThere: "Still there",
    silent: "Nothing heard since {time}",
    priority: "Priority",
    priority_low: "Low",
    priority_normal: "Normal",
    priority_high: "High",
    priority_urgent: "Urgent",
    nextStep: "Next step",
    finalStatus: "This work order is finished.",
    mayNotWork: "Your key may read but not change work orders.",
    reason: "Reason for the rejection",
    chooseReason: "Please choose…",
    reasonHelp: "Choose “false alarm” only if there is no such thing in the picture: the detector learns from it.",
    reasonNeeded: "Please give a reason.",
    inWords: "In words",
    wordsNeeded: "Please say the reason in words.",
    rejectedFor: "Rejected as",
    detector: "Detector",
    reason_false_alarm: "False alarm: no such thing there",
    reason_permitted: "It may be there",
    reason_duplicate: "Duplicate of another order",
    reason_already_done: "Already done",
    reason_not_our_task: "Not our task",
    reason_other: "Another reason",
    rejectNow: "Reject with this reason",
    cancel: "Cancel",
    close: "Close",
    changedMeanwhile: "Somebody else changed this order in the meantime. This is its present state.",
    changeFailed: "The status could not be changed: {reason}",
    orderGone: "There is no such work order.",
    saved: "Saved: {status}",
    history: "History",
    by: "{actor}",
    status_received: "Received",
    status_dispatched: "Dispatched",
    status_accepted: "Accepted",
    status_in_progress: "In progress",
    status_resolved: "Resolved",
    status_verified: "Verified",
    status_closed: "Closed",
    status_reopened: "Reopened",
    status_rejected: "Rejected",
    to_dispatched: "Dispatch",
    to_accepted: "Accept",
    to_in_progress: "Start work",
    to_reopened: "Reopen: work not done",
    to_resolved: "Mark as resolved",
    to_verified: "Verify",
    to_closed: "Close the case",
    to_rejected: "Reject…",
    history_received: "Received",
    history_status: "{status}",
    history_department: "Given to {department}",
    history_evidence: "Evidence added",
    history_cleared: "The camera saw the place clear",
    history_note: "Note",
    category_illegal_parking: "Illegal parking",
    category_litter: "Litter",
    category_damaged_facility: "Damaged facility",
    category_no_parking: "No parking",
    category_no_stopping: "No stopping",
    category_fire_lane: "Fire lane blocked",
    category_loading_bay: "Loading bay",
    label_person: "person", label_bicycle: "bicycle", label_car: "car",
    label_motorcycle: "motorcycle", label_bus: "bus", label_truck: "truck",
    label_litter: "litter", label_garbage_pile: "rubbish heap",
    label_overflowing_bin: "overflowing bin", label_pothole: "pothole",
    label_road_crack: "crack in the road", label_graffiti: "graffiti",
    label_damaged_manhole: "damaged manhole", label_damaged_sign: "damaged sign",
    label_damaged_street_furniture: "damaged street furniture", label_fallen_tree: "fallen tree",
  },
  zh: {
    skip: "跳到工单列表",
    tagline: "街面巡查与工单派遣",
    language: "语言",
    signOut: "退出",
    signInTitle: "登录",
    signInHelp: "请输入管理员提供的 API 密钥。",
    key: "API 密钥",
    signIn: "登录",
    keyRefused: "密钥无效,请核对后重试。",
    keyMayNotRead: "该密钥无权查看工单,请向管理员申请 client 或 admin 角色的密钥。",
    sessionEnded: "登录已过期,请重新登录。",
    unreachable: "派遣服务无响应,当前显示的是 {time} 的数据,正在重试。",
    unreachableAtFirst: "派遣服务无响应,正在重试。",
    serviceFailed: "派遣服务报错({reason}),正在重试。",
    live: "实时",
    stale: "数据未更新",
    cameras: "摄像机",
    orders: "最新工单",
    noCameras: "尚无摄像机上报。运行守护进程后将在此显示:streetwarden run --config city.yaml",
    noOrders: "暂无工单。事件一经确认,将立即在此显示。",
    more: "显示更早的工单",
    camerasOnline: "在线摄像机",
    ofTotal: "{n} / {total}",
    shownOrders: "显示 {n} 条",
    waiting: "待派遣",
    inWork: "处置中",
    done: "已处置或结案",
    amongShown: "最新 {n} 条中",
    state_online: "在线",
    state_offline: "离线",
    state_connecting: "连接中",
    state_ended: "已结束",
    lastFrame: "最新画面",
    never: "暂无",
    drops: "丢帧",
    reconnects: "重连",
    looks: "分析帧数",
    model: "模型",
    resolution: "画面尺寸",
    noPicture: "暂无画面",
    pictureOf: "{name} 的最新画面",
    enlarge: "放大 {name} 的画面",
    open: "打开工单 {number}",
    order: "工单 {number}",
    evidence: "取证图片",
    noEvidence: "取证图片尚未到达。",
    evidenceMissing: "图片无法加载",
    signedList: "全部文件的签名清单",
    "evidence_first-wide": "首次发现",
    "evidence_first-close": "首次发现特写",
    "evidence_opened-wide": "立案时全景",
    "evidence_opened-close": "立案时特写",
    "evidence_clip": "短视频",
    "evidence_latest-wide": "最近一次看到",
    "evidence_latest-close": "最近一次特写",
    "evidence_cleared-wide": "恢复后全景",
    "evidence_opened-clean": "无标注原图",
    department: "责任部门",
    noDepartment: "未指定",
    camera: "摄像机",
    zone: "区域",
    address: "地点",
    category: "类别",
    label: "识别对象",
    seenWith: "{label},置信度 {confidence}",
    objects: "数量",
    startedAt: "开始时间",
    openedAt: "确认时间",
    lastSeenAt: "最后看到",
    observed: "持续观察",
    dwell: "立案时限",
    onCamera: "画面现状",
    clearSince: "{time} 起已恢复",
    timeToClear: "恢复用时",
    recurrence: "复发自",
    earlierOrder: "此前的工单",
    stillThere: "仍然存在",
    silent: "{time} 起无上报",
    priority: "优先级",
    priority_low: "低",
    priority_normal: "普通",
    priority_high: "高",
    priority_urgent: "紧急",
    nextStep: "下一步",
    finalStatus: "该工单已办结。",
    mayNotWork: "您的密钥只能查看,不能更改工单。",
    reason: "作废原因",
    chooseReason: "请选择…",
    reasonHelp: "仅当画面中确实没有该对象时才选“误报”:检测模型会据此学习。",
    reasonNeeded: "请填写原因。",
    inWords: "文字说明",
    wordsNeeded: "请用文字说明原因。",
    rejectedFor: "作废原因",
    detector: "检测模型",
    reason_false_alarm: "误报:并无该对象",
    reason_permitted: "允许存在",
    reason_duplicate: "与其他工单重复",
    reason_already_done: "已处理",
    reason_not_our_task: "不属本部门职责",
    reason_other: "其他原因",
    rejectNow: "确认作废",
    cancel: "取消",
    close: "关闭",
    changedMeanwhile: "该工单刚被他人更改,现显示最新状态。",
    changeFailed: "状态更改失败:{reason}",
    orderGone: "没有这个工单。",
    saved: "已保存:{status}",
    history: "办理过程",
    by: "{actor}",
    status_received: "已立案",
    status_dispatched: "已派遣",
    status_accepted: "已接单",
    status_in_progress: "处置中",
    status_resolved: "已处置",
    status_verified: "已核查",
    status_closed: "已结案",
    status_reopened: "已退回",
    status_rejected: "已作废",
    to_dispatched: "派遣",
    to_accepted: "接单",
    to_in_progress: "开始处置",
    to_reopened: "退回重办",
    to_resolved: "处置完成",
    to_verified: "核查通过",
    to_closed: "结案",
    to_rejected: "作废…",
    history_received: "立案",
    history_status: "{status}",
    history_department: "转交 {department}",
    history_evidence: "新增取证图片",
    history_cleared: "画面显示已恢复",
    history_note: "备注",
    category_illegal_parking: "机动车乱停放",
    category_litter: "暴露垃圾",
    category_damaged_facility: "设施损坏",
    category_no_parking: "禁停区停车",
    category_no_stopping: "禁止停车",
    category_fire_lane: "占用消防通道",
    category_loading_bay: "占用装卸区",
    label_person: "行人", label_bicycle: "自行车", label_car: "小汽车", label_motorcycle: "摩托车",
    label_bus: "公交车", label_truck: "货车", label_litter: "垃圾", label_garbage_pile: "垃圾堆",
    label_overflowing_bin: "垃圾满溢", label_pothole: "路面坑洞", label_road_crack: "路面裂缝",
    label_graffiti: "涂鸦", label_damaged_manhole: "井盖损坏", label_damaged_sign: "标志牌损坏",
    label_damaged_street_furniture: "街道设施损坏", label_fallen_tree: "倒伏树木",
  },
};

const REMEMBERED = "streetwarden.language";
const TAGS = { en: "en-GB", zh: "zh-CN" };

let language = firstLanguage();

function firstLanguage() {
  const remembered = recall();
  if (remembered in WORDS) return remembered;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// A browser that keeps nothing (site data blocked) throws here; the page works without memory.
function recall() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

function remember() {
  try {
    localStorage.setItem(REMEMBERED, language);
  } catch {
    console.info("this browser does not remember the language");
  }
}

/** `en` or `zh`. */
export function currentLanguage() {
  return language;
}

/** The language for `Intl` and the `lang` attribute. */
export function languageTag() {
  return TAGS[language];
}

/** Switches the language and remembers it in this browser. */
export function chooseLanguage(wanted) {
  language = wanted in WORDS ? wanted : "en";
  remember();
}

/** The words for `key`, with `{name}` filled in. */
export function word(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The words for a value of the service, such as a category; unknown ones in readable form. */
export function named(group, value) {
  if (value === undefined || value === null) return "";
  const key = `${group}_${value}`;
  return WORDS[language][key] ?? WORDS.en[key] ?? String(value).replaceAll("_", " ");
}

/** Puts the words into everything that is written in index.html. */
export function translateDocument() {
  document.documentElement.lang = languageTag();
  for (const node of document.querySelectorAll("[data-word]")) {
    node.textContent = word(node.dataset.word);
  }
  for (const node of document.querySelectorAll("[data-word-label]")) {
    node.setAttribute("aria-label", word(node.dataset.wordLabel));
  }
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === language));
  }
}
