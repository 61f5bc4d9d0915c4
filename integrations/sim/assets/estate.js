// The control page of the simulated estate. What came from elsewhere is put on the page with textContent only.
const $ = (id) => document.getElementById(id);

function el(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// What is seen at building 6, and how it is called while it is so.
const SIX = {
  lane6: '6号楼西侧有车', bay7: '6号楼南侧有车', west: '西门有动静', lift6: '6号楼电梯困人',
  ebike: '电动车在电梯里', pump: '水泵房开着', cellar: '地下室门开着',
};

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString('zh-CN', { hour12: false });

function fill(id, items, none) {
  $(id).replaceChildren(...(items.length || !none ? items : [el('div', 'empty', none)]));
}

function badge(id, on, yes, no) {
  $(id).textContent = on ? yes : no;
  $(id).className = on ? 'tag warn' : 'tag';
}

function utterance(one) {
  const item = el('div', 'item');
  item.append(
    el('b', '', one.speaking ? '正在说话…' : `说了 ${one.seconds.toFixed(1)} 秒`),
    ' ',
    el('span', 'tag', one.via === 'rtp' ? 'RTP' : 'HTTP'),
    el('span', 'when', clock(one.started_at) + (one.repeats ? `，重复 ${one.repeats} 次没有再播` : '')),
  );
  if (!one.speaking) {
    const player = el('audio');
    player.controls = true;
    player.preload = 'none';
    player.src = `/sound/${one.id}`;
    item.append(player);
  }
  return item;
}

function message(one) {
  const item = el('div', 'item');
  item.append(
    el('b', '', one.headline),
    el('span', 'when', clock(one.received_at) + (one.repeats ? `，重复 ${one.repeats} 次` : '')),
  );
  return item;
}

function device(one) {
  const item = el('span', 'dev');
  item.append(el('span', one.up ? 'dot' : 'dot off'), one.zh);
  if (one.restarts) item.append(el('small', '', ` 重启 ${one.restarts} 次`));
  return item;
}

let heard = null;

function said(list) {
  const now = JSON.stringify(list.map((one) => [one.id, one.speaking, one.repeats]));
  const listening = [...document.querySelectorAll('audio')].some((player) => !player.paused);
  if (now === heard || listening) return;
  heard = now;
  fill('said', list.slice(0, 6).map(utterance), '喇叭还没有说话');
}

async function look() {
  let state;
  try {
    state = await (await fetch('/state')).json();
  } catch {
    $('hint').textContent = '模拟小区没有响应';
    return;
  }
  badge('car', state.scene.vehicle || state.scene.unfelt, '有车', '没有车');
  badge('door', state.scene.open, '单元门开着', '单元门关着');
  badge('lift', state.scene.alarm, '电梯困人', '电梯正常');
  badge('smoke', state.scene.smoke, '楼道冒烟', '楼道无烟');
  badge('bay', state.scene.bay, '5号楼南侧有车', '5号楼南侧没有车');
  badge('entrance', state.scene.entrance, '3号楼门开着', '3号楼门关着');
  badge('plant', state.scene.plant, '配电间开着', '配电间关着');
  badge('gate', state.scene.gate, '北门有车', '北门没有车');
  badge('roof', state.scene.roof, '屋面门开着', '屋面门关着');
  $('building6').hidden = !state.devices.some((one) => one.name === 'quarter');
  fill('six', Object.entries(SIX).filter(([word]) => state.scene[word]).map(([, zh]) => el('span', 'tag warn', zh)), '');
  $('story').hidden = !state.story.running;
  $('story').textContent = `故事播放中，${Math.ceil(state.story.left)} 秒后开走`;
  document.querySelector('button.main').disabled = state.story.running;
  for (const name of ['speaker', 'webhook']) $(name).href = `http://${location.hostname}:${state.ports[name]}/`;
  said(state.utterances);
  fill('got', state.messages.slice(0, 6).map(message), '还没有收到通知');
  fill('devices', state.devices.map(device), '');
}

async function picture() {
  try {
    const answer = await fetch('/picture.jpg');
    if (answer.ok) {
      const former = $('view').src;
      $('view').src = URL.createObjectURL(await answer.blob());
      if (former.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(former), 500);
    }
  } catch {
    // the camera is being started again
  }
  setTimeout(picture, 700);
}

async function press(button) {
  const answer = await fetch(button.dataset.post, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: button.dataset.body || '{}',
  });
  const busy = answer.status === 409;
  $('hint').textContent = answer.ok ? '' : busy ? '故事正在播放，请等它结束。' : `没有成功：${await answer.text()}`;
  look();
}

for (const button of document.querySelectorAll('button')) button.onclick = () => press(button);
look();
setInterval(look, 1000);
picture();
